package cli

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/edgefvm/fvm/cmd/edgefvm/internal/clitest"
	"github.com/edgefvm/fvm/cmd/edgefvm/internal/kit"
)

const goldens = clitest.Goldens

const (
	stateCAR    = "../../../../testdata/multisig.car"
	messageFile = "../../../../testdata/multisig.msg"
)

func execArgs(more ...string) []string {
	return append([]string{"exec", "--car", stateCAR, "--nv", "28", "--epoch", "5800470"}, more...)
}

var edgefvm = clitest.Program(Run)

func TestMain(m *testing.M) { clitest.Main(m, edgefvm) }

// Short names for the helpers of package clitest, and what they need of kit.
var (
	golden      = clitest.Golden
	needBundles = clitest.NeedBundles
	run         = edgefvm.Run
	runWith     = edgefvm.RunWith
	ok          = edgefvm.OK
	fails       = edgefvm.Fails
	readFrom    = clitest.ReadFrom
	smallBundle = clitest.SmallBundle
)

const (
	exitOK          = kit.ExitOK
	exitUsage       = kit.ExitUsage
	exitInterrupted = kit.ExitInterrupted
)

func commands(t testing.TB, visit func(cmd *cobra.Command)) {
	t.Helper()
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		visit(cmd)
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(newRoot())
}

// Every command has a help text with examples, and the examples' commands and flags exist.
func TestHelp(t *testing.T) {
	seen := 0
	commands(t, func(cmd *cobra.Command) {
		seen++
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		out := ok(t, args...)
		if !strings.Contains(out, "Examples:\n") {
			t.Errorf("%v has no examples", args)
		}
		if cmd.Short == "" {
			t.Errorf("%v has no short description", args)
		}
		for _, line := range strings.Split(strings.TrimSpace(cmd.LocalFlags().FlagUsages()), "\n") {
			if line != "" && !regexp.MustCompile(`--\S+( \S+)?  +\S`).MatchString(line) {
				t.Errorf("%v: a flag is not described: %q", args, line)
			}
		}
		for _, line := range strings.Split(cmd.Example, "\n") {
			words, _, _ := strings.Cut(line, " | ")
			words, _, _ = strings.Cut(words, " > ")
			fields := strings.Fields(words)
			if len(fields) < 2 || fields[0] != "edgefvm" {
				t.Errorf("the example %q does not call edgefvm", line)
				continue
			}
			target, rest, err := newRoot().Find(fields[1:])
			if err == nil {
				err = target.ParseFlags(rest)
			}
			if err == nil {
				err = target.ValidateArgs(target.Flags().Args())
			}
			if err == nil {
				err = target.ValidateRequiredFlags()
			}
			if err != nil || target.HasSubCommands() {
				t.Errorf("the example %q cannot run: %v", line, err)
			}
		}
	})
	if seen < 14 {
		t.Errorf("%d commands were seen", seen)
	}
}

// What is wrong with a command line is said with what would be right.
func TestUsage(t *testing.T) {
	v := golden("nv28-send-001")
	for _, c := range []struct{ args, want string }{
		{"frobnicate", `edgefvm: there is no command "frobnicate"; there are dev, exec, explain, decode, encode, state, replay, follow, chain, proofs, vectors,`},
		{"vector run x", `edgefvm: there is no command "vector"; did you mean vectors?`},
		{"ecec", `there is no command "ecec"; did you mean exec?`},
		{"run x", `there is no command "run"; did you mean vectors run?`},
		{"vectors", "edgefvm: vectors needs a command: run"},
		{"cache", "cache needs a command: build, info, clean"},
		{"cache inf", `cache has no command "inf"; did you mean info?`},
		{"bundle frob", `bundle has no command "frob"; it has list, cids, export, add, remove`},
		{"vectors run", "edgefvm: vectors run needs PATH..."},
		{"vectors run --jobs 0 x", "--jobs must be at least 1"},
		{"vectors run --frob x", "unknown flag: --frob"},
		{"vectors run --job 3 x", "unknown flag: --job; did you mean --jobs?"},
		{"vectors run --no-traces x", "unknown flag: --no-traces; did you mean --no-trace?"},
		{"vectors run -q x", "unknown shorthand flag: 'q' in -q"},
		{"vectors run --jobs", "--jobs needs a value: a whole number"},
		{"vectors run --jobs many x", `--jobs "many": want a whole number`},
		{"vectors run --engine v8 " + v, `there is no engine "v8"; known: wazero`},
		{"vectors run --engine wazer " + v, `there is no engine "wazer"; did you mean wazero`},
		{"explain", "edgefvm: explain needs VECTOR"},
		{"explain a b", "explain takes VECTOR, not 2 arguments"},
		{"explain " + filepath.Join(goldens, "nv28-send-001.trace.gz"), "is a trace: name the vector"},
		{"explain --message 99 " + v, "there is no message 99"},
		{"explain --variant 7 " + v, "there is no variant 7"},
		{"bench --rounds 0 x", "--rounds must be at least 1"},
		{"exec", "exec needs --car"},
		{"exec state.car", `exec takes no arguments, and "state.car" is one`},
		{"bundle cids frob", "want VERSION/NETWORK, such as v16/mainnet"},
		{"bundle cids .", ". is a folder: want the CAR of a bundle"},
		{"fuzz --for -5m", "--for -5m0s is negative"},
		{"bundle export frob", "want VERSION/NETWORK, such as v16/mainnet"},
		{"version frob", `version takes no arguments, and "frob" is one`},
	} {
		fails(t, exitUsage, strings.Fields(c.args), c.want)
	}
}

// Too few and too many arguments are told, of each command, before it does anything.
func TestNumbersOfArguments(t *testing.T) {
	n := 0
	commands(t, func(cmd *cobra.Command) {
		if cmd.HasSubCommands() || cmd.Args == nil {
			return
		}
		path := strings.Fields(cmd.CommandPath())[1:]
		for _, args := range [][]string{{}, {"a"}, {"a", "b"}, {"a", "b", "c", "d"}} {
			if cmd.Args(cmd, args) == nil {
				continue
			}
			n++
			verb := " takes "
			if len(args) == 0 {
				verb = " needs "
			}
			fails(t, exitUsage, append(slices.Clone(path), args...), strings.Join(path, " ")+verb)
		}
	})
	if n < 60 {
		t.Errorf("%d command lines were tried", n)
	}
}

// What is wrong with a flag is told in words of our own, of each flag of each command.
func TestFlagErrorsAreInWords(t *testing.T) {
	n := 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if kind := f.Value.Type(); strings.HasPrefix(kind, "string") || f.Name == "help" {
				return
			}
			n++
			r := run(t, append(strings.Fields(cmd.CommandPath())[1:], "--"+f.Name+"=many things")...)
			if r.Code != exitUsage || !strings.HasPrefix(r.Err, "edgefvm: --"+f.Name+" \"many things\": want ") {
				t.Errorf("%s --%s: exit code %d, %s", cmd.CommandPath(), f.Name, r.Code, r.Err)
			}
		})
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(newRoot())
	if n < 40 {
		t.Errorf("there are only %d flags that are no text", n)
	}
}

// Without arguments the help is printed: the commands in their groups, and what scripts and the environment need.
func TestRootPrintsHelp(t *testing.T) {
	out := ok(t)
	at := 0
	for _, want := range []string{
		"Exit codes: 0 all well", "EDGEFVM_ENGINE", "Examples:\n", "\nMessages:\n  exec ", "\n  explain ", "\nThe laboratory, which compares and measures:\n  vectors ", "\n  bench ", "\n  soak ",
		"\n  fuzz ", "\n  sweep ", "\n  oracle ", "\nUpkeep:\n  bundle ", "\n  cache ", "\n  version ", "\n  completion ", "\n  help ", "\nFlags:\n",
	} {
		i := strings.Index(out[at:], want)
		if i < 0 {
			t.Fatalf("after %q there is no %q:\n%s", out[:at], want, out)
		}
		at += i
	}
	for _, bad := range []string{"first-receipt", "Additional Commands"} {
		if strings.Contains(out, bad) {
			t.Errorf("it shows %q:\n%s", bad, out)
		}
	}
	if help := ok(t, "help"); help != out {
		t.Error("'edgefvm help' prints something else")
	}
	if got := ok(t, "--version"); !strings.HasPrefix(got, "edgefvm version ") {
		t.Errorf("--version: %q", got)
	}
}
