package aot

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync/atomic"
)

// childArg is the hidden subcommand.
const childArg = "wasmedge-compile-child"

// Exit codes of a child.
const (
	exitOK     = 0
	exitFailed = 1 // the compiler says no
	exitUnable = 2 // wrong arguments, wrong library, no library
	exitOrphan = 3
)

// selfIsCompiler is set when the running program can be its own child.
var selfIsCompiler atomic.Bool

// IsChild reports whether a program with these arguments was started to compile.
func IsChild(args []string) bool { return len(args) > 1 && args[1] == childArg }

// RunIfChild compiles and ends the process, if that is what it was started for.
// Call it first thing in main.
func RunIfChild() {
	if IsChild(os.Args) {
		os.Exit(Main(os.Args[2:]))
	}
	selfIsCompiler.Store(true)
}

// errNoCommand is what compiling says when there is no program to do it.
var errNoCommand = errors.New("aot: no program is there to run WasmEdge's compiler: call fvm.RunIfChild() first thing in main, or name one that does in EngineConfig.Compiler, such as edgefvm of the same version")

// command finds the program that compiles.
func command(given []string) ([]string, error) {
	if len(given) > 0 {
		return given, nil
	}
	if selfIsCompiler.Load() {
		if runtime.GOOS == "linux" {
			// The file may have been replaced by another version since.
			const self = "/proc/self/exe"
			if _, err := os.Stat(self); err == nil {
				return []string{self}, nil
			}
		}
		if exe, err := os.Executable(); err == nil {
			return []string{exe}, nil
		}
	}
	return nil, errNoCommand
}

// order is what a child is asked to do.
type order struct {
	level   Level
	library string // the version that the program has
	generic bool
	in, out string
}

func (o *order) args() []string {
	return []string{childArg, fmt.Sprintf("-level=%d", int(o.level)), "-library=" + o.library, fmt.Sprintf("-generic=%t", o.generic), o.in, o.out}
}

func parseOrder(args []string) (*order, error) {
	o := &order{}
	flags := flag.NewFlagSet(childArg, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar((*int)(&o.level), "level", int(O0), "")
	flags.StringVar(&o.library, "library", "", "")
	flags.BoolVar(&o.generic, "generic", false, "")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() != 2 {
		return nil, errors.New("aot: want the names of the module and of the artefact")
	}
	o.in, o.out = flags.Arg(0), flags.Arg(1)
	return o, o.level.check()
}

// tether ends this process when its standard input ends, which the parent holds
// open: so it does not outlive the parent.
func tether() {
	io.Copy(io.Discard, os.Stdin)
	fmt.Fprintln(os.Stderr, "aot: the program that wanted the code is gone")
	os.Exit(exitOrphan)
}

// Main is the child: it compiles one module as the arguments after the
// subcommand say, and returns the exit code.
func Main(args []string) int {
	go tether()
	yield()
	o, err := parseOrder(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitUnable
	}
	library, err := Library()
	if err == nil && library != o.library {
		err = fmt.Errorf("aot: the compiler is WasmEdge %s, the program has %s", library, o.library)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitUnable
	}
	if err := compileFile(o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	return exitOK
}
