package clitest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/lab/duel/dueltest"
)

// EnvPeer makes the test's own program the reference of bench: "answers" as it does, or as another of beReference's.
const EnvPeer = "EDGEFVM_TEST_PEER"

// coldProcess is the hidden command that bench --cold starts this program with.
const coldProcess = "first-receipt"

// Main is for TestMain. The test's program is also the child processes of the commands under test: WasmEdge's compiler,
// the reference, and the cold process of bench.
func Main(m *testing.M, p Program) {
	fvm.RunIfChild()
	os.Unsetenv("EDGEFVM_ENGINE")
	os.Unsetenv("COLUMNS")
	if len(os.Args) > 1 && os.Args[1] == coldProcess { // before the next, which the environment decides
		os.Exit(p(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	dueltest.RunIfChild()
	if mode := os.Getenv(EnvPeer); mode != "" {
		beReference(mode)
		return
	}
	code := m.Run()
	for _, dir := range kept {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// kept are the folders of Kept, by name.
var kept = map[string]string{}

// Kept is a folder that fill makes once for all tests of a package, which run one after the other and do not change it so
// that it matters to the next. It is gone when the last one has ended.
func Kept(t testing.TB, name string, fill func(dir string)) string {
	t.Helper()
	if dir, ok := kept[name]; ok {
		return dir
	}
	dir, err := os.MkdirTemp("", "edgefvm-tests-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if t.Failed() || kept[name] == "" {
			_ = os.RemoveAll(dir)
		}
	}()
	fill(dir)
	kept[name] = dir
	return dir
}

// beReference answers as the reference does, with made-up times.
func beReference(mode string) {
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var req struct {
			Op   string `json:"op"`
			Path string `json:"path"`
		}
		if err := json.Unmarshal(in.Bytes(), &req); err != nil {
			fmt.Println(`{"error":"not JSON"}`)
			continue
		}
		switch {
		case req.Op == "load_car":
			fmt.Println(`{"roots":[],"blocks":1}`)
		case mode == "fails":
			fmt.Println(`{"error":"out of order"}`)
		case mode == "ends":
			return
		case mode == "short":
			fmt.Println(`{"ns":[[]]}`)
		default:
			fmt.Println(`{"ns":[[1000000]]}`)
		}
	}
}
