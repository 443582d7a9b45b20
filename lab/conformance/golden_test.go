package conformance

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/bundle"
	"github.com/edgefvm/fvm/vector"
)

// The golden vectors of this repository. A run that finds fewer is a failure, not a smaller success.
const (
	goldenVectors  = 1345
	goldenMessages = 4969
)

// envVectors lists files and folders of more vectors to run, as PATH does.
const envVectors = "FVM_VECTORS"

var actors = vector.NewActors(bundle.Options{Progress: os.Stderr})

// The files are those that were chosen, to the byte.
func TestGoldenChecksums(t *testing.T) {
	list, err := os.Open(filepath.Join("testdata", "MANIFEST"))
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	listed := map[string]bool{"MANIFEST": true, "README.md": true}
	for lines := bufio.NewScanner(list); lines.Scan(); {
		sum, name, _ := strings.Cut(lines.Text(), "  ")
		listed[name] = true
		f, err := os.Open(filepath.Join("testdata", name))
		if err != nil {
			t.Error(err)
			continue
		}
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			t.Error(err)
		}
		f.Close()
		if got := hex.EncodeToString(h.Sum(nil)); got != sum {
			t.Errorf("%s: its SHA-256 is %s, listed %s", name, got, sum)
		}
	}
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !listed[f.Name()] {
			t.Errorf("%s is not listed in MANIFEST", f.Name())
		}
	}
}

// Every golden vector passes, with its trace. In short mode every tenth runs.
func TestGolden(t *testing.T) {
	files, err := Find("testdata")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != goldenVectors {
		t.Errorf("%d vectors, want %d", len(files), goldenVectors)
	}
	if testing.Short() {
		var few []string
		for i := 0; i < len(files); i += 10 {
			few = append(few, files[i])
		}
		files = few
	}
	rep := runAll(t, files, "")
	if rep.Passed != len(files) || rep.Skipped != 0 {
		t.Errorf("%d passed, %d skipped, want %d passed", rep.Passed, rep.Skipped, len(files))
	}
	messages := 0
	for _, o := range rep.Outcomes {
		messages += o.Messages
		if !o.Traced {
			t.Errorf("%s: no trace was compared", o.Name)
		}
	}
	if !testing.Short() && messages != goldenMessages {
		t.Errorf("%d messages, want %d", messages, goldenMessages)
	}
}

// More vectors, where there are any: those that FVM_VECTORS names, else those
// beside the repository. Not in short mode.
func TestMoreVectors(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT RUN: the vectors outside the repository, in short mode")
	}
	shared := filepath.Join("..", "..", "..", "shared")
	paths := filepath.SplitList(os.Getenv(envVectors))
	if len(paths) == 0 {
		for _, p := range []string{filepath.Join(shared, "goldens"), filepath.Join(shared, "vectors", "0002-hygge-01")} {
			if _, err := os.Stat(p); err == nil {
				paths = append(paths, p)
			}
		}
		if len(paths) == 0 {
			t.Skip("NOT RUN: the vectors outside the repository; set " + envVectors + " to files or folders of vectors")
		}
	}
	traces := filepath.Join(shared, "vectors-traces")
	files, err := Find(paths...)
	if err != nil {
		t.Fatal(err)
	}
	if rep := runAll(t, files, traces); !rep.OK() {
		t.Errorf("%d passed, %d failed, %d skipped", rep.Passed, rep.Failed, rep.Skipped)
	}
}

func runAll(t *testing.T, files []string, traceDir string) *Report {
	t.Helper()
	rep, err := Run(context.Background(), files, Options{Actors: actors, Jobs: runtime.GOMAXPROCS(0), TraceDir: traceDir})
	if err != nil {
		t.Fatal(err)
	}
	const most = 20
	shown := 0
	for _, o := range rep.Outcomes {
		if o.Status != Failed {
			continue
		}
		if shown++; shown > most {
			continue
		}
		t.Errorf("%s (%s): %s", o.Path, o.Variant, o.Error)
		for _, d := range o.Differences {
			t.Errorf("  %s", d)
		}
	}
	if shown > most {
		t.Errorf("and %d failures more", shown-most)
	}
	return rep
}
