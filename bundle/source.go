package bundle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The Go module that holds the archives, and the sum that the go command has for it.
const (
	Module        = "github.com/filecoin-project/lotus"
	ModuleVersion = "v1.36.3"
	moduleSum     = "h1:PXAYW3I5Aj7mI1vDGLb1wxY/RjSoEcN3Ef3jPPIBJZ4="
)

// EnvDir is the environment variable that names a folder of bundles.
const EnvDir = "EDGEFVM_BUNDLES"

// Options say where bundles may come from.
type Options struct {
	// Dir is a folder of archives (vN.tar.zst, as Lotus packs them) or CARs
	// (vN-NETWORK.car, as Export and `edgefvm bundle export` write them). What
	// lies there is taken as it is. Default: the folder that EDGEFVM_BUNDLES
	// names; without one, the folder that was installed with the program; without that, the Lotus module.
	Dir string
	// Added is a folder of bundles that Add put there. They go before those of the same names elsewhere, see Set.Load.
	// Default: DefaultAdded's, unless Dir is given.
	Added string
	// NoAdded has no added bundles. Default: they are looked for.
	NoAdded bool
	// Unpacked is a folder where Store keeps bundles of Lotus's archives unpacked. It is made when it is needed. Default: none.
	Unpacked string
	// NoDownload forbids to fetch the Lotus module. Default: it is fetched.
	NoDownload bool
	// Progress hears a line before a download. Default: nobody.
	Progress io.Writer
}

// Open finds the bundles. Nothing is unpacked yet. It runs the go command only
// if the module is not in the module cache. Where there are added bundles it is
// enough to have those.
func Open(ctx context.Context, opts Options) (*Set, error) {
	added := opts.Added
	switch {
	case opts.NoAdded:
		added = ""
	case added == "" && opts.Dir == "":
		added = DefaultAdded()
	}
	if err := checkFolder(added); err != nil { // else its name would stand in errors of something else
		return nil, err
	}
	s, err := find(ctx, opts)
	if err != nil {
		if list, lerr := listAdded(added); lerr != nil || len(list) == 0 || ctx.Err() != nil {
			return nil, err
		}
		s = &Set{missing: err}
	}
	s.unpacked, s.added = opts.Unpacked, added
	return s, nil
}

func find(ctx context.Context, opts Options) (*Set, error) {
	dir := opts.Dir
	if dir == "" {
		dir = os.Getenv(EnvDir)
	}
	if dir != "" {
		return openDir(dir)
	}
	if s := openInstalled(executable()); s != nil {
		return s, nil
	}
	if s := openModule(cachedModule()); s != nil {
		return s, nil
	}
	if opts.NoDownload {
		return nil, fmt.Errorf("actor bundles: the Go module %s@%s is not in the module cache and downloads are off; %s", Module, ModuleVersion, whatToDo)
	}
	if opts.Progress != nil {
		fmt.Fprintf(opts.Progress, "downloading actor bundles (once): go mod download %s@%s\n", Module, ModuleVersion)
	}
	root, err := download(ctx)
	if err != nil {
		return nil, err
	}
	if s := openModule(root); s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("actor bundles: %s holds no archives", root)
}

const whatToDo = "run `go mod download " + Module + "@" + ModuleVersion + "`, or name a folder of bundles in " + EnvDir

func openDir(dir string) (*Set, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("actor bundles: %w", err)
	}
	s := &Set{dir: dir}
	if archives, _ := filepath.Glob(filepath.Join(dir, "v*"+archiveExt)); len(archives) > 0 {
		return s, nil
	}
	if cars, _ := filepath.Glob(filepath.Join(dir, "v*-*"+carExt)); len(cars) > 0 {
		return s, nil
	}
	return nil, fmt.Errorf("actor bundles: %s holds neither vN%s nor vN-NETWORK%s", dir, archiveExt, carExt)
}

// executable is the file of this process without symbolic links, "" if the system does not tell.
func executable() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// openInstalled is nil if no bundles were installed with the program: packages put Lotus's archives into
// ../share/edgefvm/bundles of the program's folder, archives of a release into bundles beside it. They are held to the
// same list as the module's.
func openInstalled(program string) *Set {
	if program == "" {
		return nil
	}
	dir := filepath.Dir(program)
	for _, folder := range []string{filepath.Join(dir, "..", "share", "edgefvm", "bundles"), filepath.Join(dir, "bundles")} {
		if archives, _ := filepath.Glob(filepath.Join(folder, "v*"+archiveExt)); len(archives) > 0 {
			return &Set{dir: folder, pinned: true}
		}
	}
	return nil
}

// openModule is nil if root is not the module.
func openModule(root string) *Set {
	if root == "" {
		return nil
	}
	s, err := openDir(filepath.Join(root, "build", "actors"))
	if err != nil {
		return nil
	}
	s.pinned = true
	return s
}

// cachedModule is the module's folder in the module cache, "" if the cache is not known.
func cachedModule() string {
	cache := os.Getenv("GOMODCACHE")
	if cache == "" {
		gopath := filepath.SplitList(os.Getenv("GOPATH"))
		if len(gopath) == 0 || gopath[0] == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return ""
			}
			gopath = []string{filepath.Join(home, "go")}
		}
		cache = filepath.Join(gopath[0], "pkg", "mod")
	}
	return filepath.Join(cache, filepath.FromSlash(Module)+"@"+ModuleVersion)
}

// download has the go command fetch the module, and returns its folder.
func download(ctx context.Context) (string, error) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return "", fmt.Errorf("actor bundles: they come from the Go module %s, and there is no go command to fetch it; install Go or %s", Module, whatToDo)
	}
	cmd := exec.CommandContext(ctx, goTool, "mod", "download", "-json", Module+"@"+ModuleVersion)
	cmd.Dir = os.TempDir() // outside any module: no go.mod and no workspace takes part
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	runErr := cmd.Run()
	var got struct{ Dir, Sum, Error string }
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		return "", fmt.Errorf("actor bundles: go mod download: %w: %s", errors.Join(runErr, err), strings.TrimSpace(stderr.String()))
	}
	if got.Error != "" || runErr != nil {
		return "", fmt.Errorf("actor bundles: go mod download %s@%s: %s; %s", Module, ModuleVersion, strings.TrimSpace(got.Error+" "+stderr.String()), whatToDo)
	}
	if got.Sum != moduleSum {
		return "", fmt.Errorf("actor bundles: %s@%s has the sum %s, expected %s: it is not what was released", Module, ModuleVersion, got.Sum, moduleSum)
	}
	return got.Dir, nil
}

// exists tells whether a path is a file that can be read.
func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
