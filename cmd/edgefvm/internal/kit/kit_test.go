package kit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/blockstore"
	"github.com/edgefvm/fvm/bundle"
)

// tree is a command line for tests, whose commands end with an error.
func tree(end error) *cobra.Command {
	run := func(cmd *cobra.Command, args []string) error {
		fmt.Fprintln(cmd.OutOrStdout(), "ran", cmd.Name(), args)
		return end
	}
	root := &cobra.Command{Use: "edgefvm", Short: "all", Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	send := &cobra.Command{Use: "send ADDRESS", Short: "send", Example: "  edgefvm mail send x", Args: cobra.ExactArgs(1), RunE: run}
	send.Flags().Int("weight", -1, "weight (default: the letter's)")
	send.Flags().String("colour", "red", "a `colour`")
	send.Flags().StringSlice("ink", nil, "`inks` (default: all)")
	send.Flags().Float64("speed", 1, "")
	send.Flags().Duration("after", 0, "")
	send.Flags().Bool("sealed", false, "")
	send.Flags().Uint("stamps", 0, "")
	for _, hidden := range []string{"speed", "after", "sealed", "stamps"} {
		_ = send.Flags().MarkHidden(hidden)
	}
	send.Flags().IntSlice("page", nil, "`pages` (default: all)")
	list := &cobra.Command{Use: "list PATH...", Short: "list", Args: cobra.MinimumNArgs(1), RunE: run}
	wait := &cobra.Command{Use: "wait --for TIME", Short: "wait", Args: cobra.NoArgs, RunE: run}
	for _, name := range []string{"for", "until"} {
		wait.Flags().String(name, "", "")
		_ = wait.MarkFlagRequired(name)
	}
	post := &cobra.Command{Use: "post [--by AIR] --to A LETTER", Short: "post", Args: cobra.ExactArgs(1), RunE: run}
	weigh := &cobra.Command{Use: "weigh --box BOX|--bag BAG (--scale S | --from A ...)", Short: "weigh", Args: cobra.NoArgs, RunE: run}
	odd := &cobra.Command{Use: "odd", Short: "odd", Args: cobra.ExactArgs(1), RunE: run}
	secret := &cobra.Command{Use: "secret", Hidden: true, RunE: run}
	var set Setting
	set.Flags(list)
	root.AddCommand(Group("mail", "letters", send, list, post, weigh, odd, secret), wait)
	root.SetHelpCommand(NewHelp())
	return root
}

func execute(ctx context.Context, end error, args ...string) (code int, out, stderr string) {
	var o, e strings.Builder
	code = Execute(ctx, tree(end), args, &o, &e)
	return code, o.String(), e.String()
}

// What a command returns decides the exit code, and what a person reads.
func TestExecute(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		end    error
		code   int
		stderr string
	}{
		{"well", t.Context(), nil, 0, ""},
		{"failed, as the output says", t.Context(), ErrFailed, 1, ""},
		{"interrupted, as the output says", stopped, ErrInterrupted, 130, ""},
		{"interrupted", stopped, fmt.Errorf("reading: %w", context.Canceled), 130, "edgefvm: interrupted\n"},
		{"an error", t.Context(), errors.New("no\nluck\x1b[31m "), 1, "edgefvm: no; luck\\x1b[31m\n"},
		{"wrong usage", t.Context(), Usagef("--weight %d is too much", 7), 2, "edgefvm: --weight 7 is too much\nSee 'edgefvm mail send --help'.\n"},
		{"wrong usage, wrapped", t.Context(), fmt.Errorf("x: %w", AsUsage(os.ErrNotExist)), 2, "edgefvm: x: file does not exist\nSee 'edgefvm mail send --help'.\n"},
		{"a file", t.Context(), fmt.Errorf("vector: %w", &fs.PathError{Op: "stat", Path: "v.json", Err: errors.New("no such file or directory")}), 1, "edgefvm: vector: v.json: no such file or directory\n"},
		{"files", t.Context(), errors.Join(&fs.PathError{Op: "open", Path: "a", Err: os.ErrPermission}, fmt.Errorf("b: %w", &fs.PathError{Op: "read", Path: "c", Err: os.ErrClosed})), 1, "edgefvm: a: permission denied; b: c: file already closed\n"},
		{"the library's name", t.Context(), fmt.Errorf("the state: fvm.New: %w", io.ErrUnexpectedEOF), 1, "edgefvm: the state: the data end too early\n"},
		{"failed with a reason", t.Context(), fmt.Errorf("x: %w", ErrFailed), 1, ""},
	} {
		code, out, stderr := execute(c.ctx, c.end, "mail", "send", "a")
		if code != c.code || stderr != c.stderr || out != "ran send [a]\n" {
			t.Errorf("%s: exit code %d\n%s%s", c.name, code, out, stderr)
		}
	}
	if !errors.Is(AsUsage(os.ErrNotExist), os.ErrNotExist) {
		t.Error("an error of usage hides what was wrong")
	}
}

func TestVerdict(t *testing.T) {
	broken := errors.New("broken pipe")
	for _, c := range []struct {
		written       error
		stopped, good bool
		want          error
	}{{nil, false, true, nil}, {nil, false, false, ErrFailed}, {nil, true, true, ErrInterrupted}, {nil, true, false, ErrInterrupted}, {broken, true, false, broken}} {
		if got := Verdict(c.written, c.stopped, c.good); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// Mistakes are told in one line, with what may have been meant, and before anything runs.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"mial", `there is no command "mial"; did you mean mail?`},
		{"send", `there is no command "send"; did you mean mail send?`},
		{"fly", `there is no command "fly"; there are mail, wait`},
		{"mail", "mail needs a command: send, list, post, weigh, odd"},
		{"mail sned", `mail has no command "sned"; did you mean send?`},
		{"mail fly", `mail has no command "fly"; it has send, list, post, weigh, odd`},
		{"mail send", "mail send needs ADDRESS"},
		{"mail send a b", "mail send takes ADDRESS, not 2 arguments"},
		{"mail list", "mail list needs PATH..."},
		{"mail post", "mail post needs LETTER"},
		{"mail post a b", "mail post takes LETTER, not 2 arguments"},
		{"mail weigh x", `mail weigh takes no arguments, and "x" is one`},
		{"mail odd", "mail odd needs an argument"},
		{"wait x", `wait takes no arguments, and "x" is one`},
		{"mail send --color x a", "unknown flag: --color; did you mean --colour?"},
		{"mail send --wat a", "unknown flag: --wat"},
		{"mail send -x a", "unknown shorthand flag: 'x' in -x"},
		{"mail send --weight heavy a", `--weight "heavy": want a whole number`},
		{"mail send --weight 1e3 a", `--weight "1e3": want a whole number`},
		{"mail send --weight 99999999999999999999 a", `--weight "99999999999999999999": that is too large`},
		{"mail send --page 1,x a", `--page "1,x": want a whole number`},
		{"mail send --speed fast a", `--speed "fast": want a number`},
		{"mail send --speed 1e400 a", `--speed "1e400": that is too large`},
		{"mail send --after soon a", `--after "soon": want a time such as 90s, 10m or 2h`},
		{"mail send --sealed=perhaps a", `--sealed "perhaps": want true or false, or nothing after the flag`},
		{"mail send --stamps -1 a", `--stamps "-1": want a whole number, 0 or more`},
		{"mail send --stamps", `--stamps needs a value: a whole number`},
		{"mail send --colour", `--colour needs a value: colour`},
		{"wait", `wait needs --for and --until`},
		{"help mial", `there is no command "mial"; did you mean mail?`},
		{"help mail sned", `mail has no command "sned"; did you mean send?`},
		{"help wait x", "wait has no commands"},
	} {
		code, out, stderr := execute(t.Context(), nil, strings.Fields(c.args)...)
		first, see, _ := strings.Cut(stderr, "\n")
		if code != ExitUsage || !strings.HasPrefix(first, "edgefvm: "+c.want) || !strings.HasPrefix(see, "See 'edgefvm") || out != "" {
			t.Errorf("%s: exit code %d, want %q\n%s%s", c.args, code, c.want, out, stderr)
		}
	}
}

func TestHelpText(t *testing.T) {
	code, out, _ := execute(t.Context(), nil, "mail", "send", "--help")
	want := `send

Usage:
  edgefvm mail send ADDRESS [flags]

Examples:
  edgefvm mail send x

Flags:
      --colour colour   a colour (default "red")
  -h, --help            help for send
      --ink inks        inks (default: all)
      --page pages      pages (default: all)
      --weight int      weight (default: the letter's)
`
	if code != ExitOK || out != want {
		t.Errorf("exit code %d\n%s", code, out)
	}
	_, again, _ := execute(t.Context(), nil, "help", "mail", "send")
	if again != want {
		t.Errorf("help mail send:\n%s", again)
	}
	_, out, _ = execute(t.Context(), nil, "mail", "list", "--help")
	own, common, found := strings.Cut(out, "\nEngine and actors:\n")
	if !found || strings.Contains(own, "--engine") || !strings.Contains(common, "--engine") || strings.Contains(common, "--help") {
		t.Errorf("the flags that commands share:\n%s", out)
	}
	for _, line := range strings.Split(out, "\n") {
		if len(line) > 100 {
			t.Errorf("a line of %d columns: %s", len(line), line)
		}
	}
	_, out, _ = execute(t.Context(), nil)
	if !strings.Contains(out, "Usage:\n  edgefvm COMMAND\n") || !strings.Contains(out, "Commands:\n  mail        letters\n  wait        wait\n") {
		t.Errorf("the root:\n%s", out)
	}
	_, out, _ = execute(t.Context(), nil, "mail", "--help")
	if strings.Contains(out, "secret") {
		t.Errorf("what is hidden is shown:\n%s", out)
	}
}

func TestDidYouMean(t *testing.T) {
	known := []string{"wazero", "wazero-interpreter", "wasmedge", "wasmtime"}
	for _, c := range []struct {
		typed string
		known []string
		want  string
	}{
		{"wazer", known, "; did you mean wazero or wazero-interpreter?"},
		{"WASMTIME", known, "; did you mean wasmtime?"},
		{"wasmegde", known, "; did you mean wasmedge?"},
		{"v8", known, "; known: wazero, wazero-interpreter, wasmedge, wasmtime"},
		{"", known, "; known: wazero, wazero-interpreter, wasmedge, wasmtime"},
		{"a", []string{"ab", "ac", "ad", "ae"}, "; did you mean ab or ac or ad?"},
		{"nv", []string{"abc"}, "; known: abc"},
	} {
		if got := DidYouMean(c.typed, c.known); got != c.want {
			t.Errorf("%q: %q, want %q", c.typed, got, c.want)
		}
	}
}

func TestFindVectors(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.json", "a.trace.gz", "b.trace.json.gz", "c.trace.json", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := filepath.Join(dir, "a.json")
	files, err := FindVectors([]string{a, filepath.Join(dir, "a.trace.gz"), filepath.Join(dir, "b.trace.json.gz"), filepath.Join(dir, "c.trace.json")})
	if err != nil || !slices.Equal(files, []string{a}) {
		t.Errorf("%v, %v", files, err)
	}
	if _, err := FindVectors([]string{filepath.Join(dir, "missing.trace.gz")}); err == nil || !strings.HasSuffix(err.Error(), "; name vector files, or folders of them") {
		t.Errorf("a file that is not: %v", err)
	}
}

func TestSettingStart(t *testing.T) {
	was := NewEngine
	t.Cleanup(func() { NewEngine = was })
	var asked []fvm.EngineConfig
	NewEngine = func(cfg fvm.EngineConfig) (*fvm.Engine, error) {
		asked = append(asked, cfg)
		return was(fvm.EngineConfig{Name: cfg.Name, NoCache: true})
	}
	s := Setting{Engine: "wazero-interpreter,wazero", CacheDir: "dir", Jobs: 3, Generic: true}
	engines, end, err := s.StartAll(t.Context())
	if err != nil || len(engines) != 2 || engines[0].Name() != "wazero-interpreter" || engines[1].Name() != "wazero" {
		t.Fatalf("%v, %v", engines, err)
	}
	end()
	if want := (fvm.EngineConfig{Name: "wazero", CacheDir: "dir", Jobs: 3, Generic: true}); asked[1].Name != want.Name || asked[1].CacheDir != want.CacheDir || asked[1].Jobs != want.Jobs || !asked[1].Generic {
		t.Errorf("asked for %+v", asked[1])
	}
	for name, want := range map[string]string{"": `there is no engine ""; known: wazero`, "wasero": `there is no engine "wasero"; did you mean wazero`, "wazero,x": `there is no engine "x"`} {
		s := Setting{Engine: name}
		var usage UsageError
		if _, _, err := s.StartAll(t.Context()); !errors.As(err, &usage) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if DefaultEngine() != EngineNames()[0] && os.Getenv("EDGEFVM_ENGINE") == "" {
		t.Errorf("the default is %s", DefaultEngine())
	}
	t.Setenv("EDGEFVM_ENGINE", "other")
	if DefaultEngine() != "other" {
		t.Errorf("of the environment: %s", DefaultEngine())
	}
}

func TestFolders(t *testing.T) {
	t.Setenv("EDGEFVM_CACHE", "/some/where")
	cmd := &cobra.Command{}
	for _, c := range []struct {
		set      Setting
		unpacked string
	}{{Setting{}, "/some/where/bundles"}, {Setting{CacheDir: "/else"}, "/else/bundles"}, {Setting{NoCache: true}, ""}} {
		c.set.Bundles = "dir"
		if o := c.set.BundleOptions(cmd); o.Dir != "dir" || o.Unpacked != c.unpacked {
			t.Errorf("%+v: %+v", c.set, o)
		}
	}
	if dir, err := CacheFolder("rel"); err != nil || !filepath.IsAbs(dir) || filepath.Base(dir) != "rel" {
		t.Errorf("%s, %v", dir, err)
	}
}

func TestLoadBundle(t *testing.T) {
	if _, err := bundle.Open(t.Context(), bundle.Options{Progress: os.Stderr}); err != nil {
		t.Skipf("NOT RUN: it needs the actor bundles: %v", err)
	}
	store := blockstore.NewMemory()
	b, version, err := LoadBundle(t.Context(), bundle.Options{}, "v18/mainnet", store)
	if err != nil || version != 18 || len(b.Actors) < 16 {
		t.Fatalf("version %d, %v", version, err)
	}
	for name, want := range map[string]string{
		"v18/mainet":  "; did you mean v18/mainnet?; 'edgefvm bundle list' names them",
		"v1/nowhere":  "'edgefvm bundle list' names them",
		"missing.car": "missing.car: no such file or directory",
		"frob":        "want VERSION/NETWORK",
	} {
		if _, _, err := LoadBundle(t.Context(), bundle.Options{}, name, store); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
