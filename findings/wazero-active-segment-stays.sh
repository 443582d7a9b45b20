#!/usr/bin/env bash
# wazero: an active data segment is still there after instantiation.
#
# Package   github.com/tetratelabs/wazero v1.12.0 (Go)
# Needs     Go 1.25 or newer
# Expected  WebAssembly 2.0, "Instantiation": an active segment is copied into the memory and then dropped, as by
#           data.drop. memory.init of one byte from it is out of bounds afterwards and traps; of no bytes it does not.
# Seen      The segment keeps its bytes, on the compiler and on the interpreter, until data.drop takes them. A program
#           whose result depends on the trap runs differently than on other engines.
#
# What it printed, and must print:
#> compiler: memory.init of 0 bytes from an active segment: no trap
#> compiler: memory.init of 3 bytes from an active segment: no trap, memory holds "abc"
#> compiler: the same after data.drop: trap, out of bounds memory access
#> interpreter: memory.init of 0 bytes from an active segment: no trap
#> interpreter: memory.init of 3 bytes from an active segment: no trap, memory holds "abc"
#> interpreter: the same after data.drop: trap, out of bounds memory access
set -euo pipefail

expected=$(sed -n 's/^#> //p' "$0")
command -v go >/dev/null || { echo "needs Go" >&2; exit 3; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod

cat > go.mod <<'EOF'
module finding

go 1.25.0

require github.com/tetratelabs/wazero v1.12.0
EOF
cat > main.go <<'EOF'
package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
)

// wasm is
//
//	(module
//	  (memory (export "m") 1)
//	  (data (i32.const 0) "abc")
//	  (func (export "init") (param i32) (memory.init 0 (i32.const 16) (i32.const 0) (local.get 0)))
//	  (func (export "drop") (data.drop 0)))
const wasm = "\x00asm\x01\x00\x00\x00" +
	"\x01\x08\x02\x60\x01\x7f\x00\x60\x00\x00" +
	"\x03\x03\x02\x00\x01" +
	"\x05\x03\x01\x00\x01" +
	"\x07\x13\x03\x01m\x02\x00\x04init\x00\x00\x04drop\x00\x01" +
	"\x0c\x01\x01" +
	"\x0a\x14\x02\x0c\x00\x41\x10\x41\x00\x20\x00\xfc\x08\x00\x00\x0b\x05\x00\xfc\x09\x00\x0b" +
	"\x0b\x09\x01\x00\x41\x00\x0b\x03abc"

func main() {
	ctx := context.Background()
	for _, engine := range []struct {
		name   string
		config wazero.RuntimeConfig
	}{{"compiler", wazero.NewRuntimeConfigCompiler()}, {"interpreter", wazero.NewRuntimeConfigInterpreter()}} {
		r := wazero.NewRuntimeWithConfig(ctx, engine.config)
		m, err := r.Instantiate(ctx, []byte(wasm))
		if err != nil {
			panic(err)
		}
		init := func(n uint64) string {
			if _, err := m.ExportedFunction("init").Call(ctx, n); err != nil {
				first, _, _ := strings.Cut(err.Error(), "\n")
				return "trap, " + strings.TrimPrefix(first, "wasm error: ")
			}
			if n == 0 {
				return "no trap"
			}
			b, _ := m.Memory().Read(16, uint32(n))
			return fmt.Sprintf("no trap, memory holds %q", b)
		}
		fmt.Printf("%s: memory.init of 0 bytes from an active segment: %s\n", engine.name, init(0))
		fmt.Printf("%s: memory.init of 3 bytes from an active segment: %s\n", engine.name, init(3))
		if _, err := m.ExportedFunction("drop").Call(ctx); err != nil {
			panic(err)
		}
		fmt.Printf("%s: the same after data.drop: %s\n", engine.name, init(3))
		r.Close(ctx)
	}
}
EOF
go build -o finding . || { echo "could not be built" >&2; exit 3; }
seen=$(./finding 2>&1) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }
