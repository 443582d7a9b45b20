package wazero_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/edgefvm/fvm"
	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/engine/wazero"
)

// An engine whose compiled code is kept on disk: the second one finds what the first one made.
func ExampleNew() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "wazero-example-")
	check(err)
	defer os.RemoveAll(dir)
	for range 2 {
		eng, err := wazero.New(wazero.Options{CacheDir: dir})
		check(err)
		env, err := eng.Env(ctx, engine.EnvConfig{})
		check(err)
		_, err = env.Compile(ctx, []byte("\x00asm\x01\x00\x00\x00")) // the empty module
		check(err)
		fmt.Println(eng.Name(), "found on disk:", eng.(engine.DiskCounter).FromDisk())
		check(eng.Close(ctx))
	}
	stats, err := wazero.CacheInfo(dir)
	check(err)
	fmt.Println("entries:", stats.Entries)
	// Output:
	// wazero found on disk: 0
	// wazero found on disk: 1
	// entries: 1
}

// A machine takes an adapter with settings that fvm.EngineConfig does not have.
func ExampleOptions() {
	eng, err := wazero.New(wazero.Options{MaxPoolBytes: 16 << 20, NoReuse: true})
	check(err)
	shared := fvm.EngineFrom(eng) // for Config.Engine of any number of machines
	defer shared.Close(context.Background())
	fmt.Println(shared.Name())
	// Output: wazero
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
