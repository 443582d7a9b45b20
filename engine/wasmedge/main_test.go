//go:build wasmedge && cgo && linux

package wasmedge

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/edgefvm/fvm/engine"
)

// Environment variables that make the test program something else.
const (
	envCompile = "EDGEFVM_WASMEDGE_COMPILE" // a compiler that serves its standard input
	envScene   = "EDGEFVM_WASMEDGE_SCENE"   // the name of a scene, see scenes
	envCode    = "EDGEFVM_WASMEDGE_CODE"    // where the scene finds machine code
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(envCompile) != "":
		serveCompiler()
	case os.Getenv(envScene) != "":
		playScene()
	default:
		dir, err := os.MkdirTemp("", "edgefvm-wasmedge-")
		if err != nil {
			panic(err)
		}
		compiler.dir = dir
		code := m.Run()
		compiler.stop()
		os.RemoveAll(dir)
		os.Exit(code)
	}
}

// order is a module to compile; its answer is an error's text.
type order struct {
	Wasm []byte
	Path string
}

func serveCompiler() {
	in, out := gob.NewDecoder(bufio.NewReader(os.Stdin)), gob.NewEncoder(os.Stdout)
	for {
		var o order
		if in.Decode(&o) != nil {
			os.Exit(0)
		}
		text := ""
		if err := compileHere(o.Wasm, o.Path, 0); err != nil {
			text = err.Error()
		}
		if err := out.Encode(text); err != nil {
			os.Exit(1)
		}
	}
}

// workshop compiles at level O0 in a process of its own and keeps what it made,
// by content.
type workshop struct {
	dir string

	mu    sync.Mutex
	cmd   *exec.Cmd
	stdin io.Closer
	in    *gob.Encoder
	out   *gob.Decoder
	bad   map[string]error
}

var compiler = &workshop{bad: map[string]error{}}

func (w *workshop) start() error {
	w.cmd = exec.Command(os.Args[0])
	w.cmd.Env = append(os.Environ(), envCompile+"=1")
	w.cmd.Stderr = os.Stderr
	in, err := w.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	w.stdin, w.in, w.out = in, gob.NewEncoder(in), gob.NewDecoder(bufio.NewReader(out))
	return w.cmd.Start()
}

func (w *workshop) stop() {
	if w.cmd != nil {
		w.stdin.Close()
		w.cmd.Wait()
		w.cmd = nil
	}
}

// native is for Options.Native.
func (w *workshop) native(_ context.Context, wasm []byte) (string, error) {
	path := filepath.Join(w.dir, fmt.Sprintf("%x.so", sha256.Sum256(wasm)))
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := w.bad[path]; err != nil {
		return "", err
	}
	if w.cmd == nil {
		if err := w.start(); err != nil {
			return "", err
		}
	}
	tmp := path + ".tmp"
	var text string
	err := w.in.Encode(order{wasm, tmp})
	if err == nil {
		err = w.out.Decode(&text)
	}
	switch {
	case err != nil:
		w.stop()
		err = fmt.Errorf("the compiler died: %w", err)
	case text != "":
		err = errors.New(text)
	default:
		err = os.Rename(tmp, path)
	}
	if err != nil {
		w.bad[path] = err
	}
	return path, err
}

func aot() Options { return Options{Native: compiler.native} }

func mustOpen(t testing.TB, opts Options) engine.Engine {
	t.Helper()
	e, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// runScene plays a scene in another process, and returns what it printed and how it ended.
func runScene(t *testing.T, name string) (output string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), envScene+"="+name, envCode+"="+compiler.dir, "GOTRACEBACK=single")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func playScene() {
	compiler.dir = os.Getenv(envCode)
	err := scenes[os.Getenv(envScene)]()
	compiler.stop()
	if err != nil {
		fmt.Println("scene:", err)
		os.Exit(3)
	}
	os.Exit(0)
}
