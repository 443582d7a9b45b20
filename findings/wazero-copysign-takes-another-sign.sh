#!/usr/bin/env bash
# wazero on amd64: in functions with many live numbers, copysign takes a wrong sign.
#
# Package   github.com/tetratelabs/wazero v1.12.0 (Go)
# Needs     Go 1.25 or newer, amd64
# Expected  The compiler and the interpreter of one library give the same results, whatever the function looks like.
# Seen      Of 400 made-up functions of 8 parameters, 8 to 30 locals, a loop and branches, 9 give another number on
#           the compiler. With each f64.copysign written in integers instead (the masks that define it), all agree. By
#           its source the compiler changes a register in place without saying so to its allocator, which then reads a
#           copy on the stack that was made before.
#
# What it printed, and must print:
#> f64.copysign: compiler and interpreter differ for functions [75 100 149 180 191 233 333 342 391]
#> the same in integers: they differ for functions []
set -euo pipefail

expected=$(sed -n 's/^#> //p' "$0")
command -v go >/dev/null || { echo "needs Go" >&2; exit 3; }
[ "$(go env GOARCH)" = amd64 ] || { echo "needs amd64" >&2; exit 3; }
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
	"bytes"
	"context"
	"fmt"
	"math"

	"github.com/tetratelabs/wazero"
)

const params = 8

// copysign is code that takes two floats from the stack and gives one. It may use the locals x and y.
type copysign func(x, y byte) []byte

func main() {
	bad := func(copysign copysign) (seeds []uint64) {
		for seed := range uint64(400) {
			code := module(seed, copysign)
			if run(wazero.NewRuntimeConfigCompiler(), code) != run(wazero.NewRuntimeConfigInterpreter(), code) {
				seeds = append(seeds, seed)
			}
		}
		return seeds
	}
	masks := func(x, y byte) []byte {
		return []byte{0x21, y, 0x21, x,
			0x20, x, 0xbd, 0x42, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x83, // x's bits and 2^63-1
			0x20, y, 0xbd, 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f, 0x83, // y's bits and 2^63
			0x84, 0xbf} // or'ed, as a float again
	}
	fmt.Println("f64.copysign: compiler and interpreter differ for functions", bad(func(_, _ byte) []byte { return []byte{0xa6} }))
	fmt.Println("the same in integers: they differ for functions", bad(masks))
}

func run(config wazero.RuntimeConfig, code []byte) float64 {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, config)
	defer r.Close(ctx)
	m, err := r.Instantiate(ctx, code)
	if err != nil {
		panic(err)
	}
	var args []uint64
	for _, x := range []float64{3, -5, 7, -11, 13, -17, 19, -23} {
		args = append(args, math.Float64bits(x))
	}
	res, err := m.ExportedFunction("f").Call(ctx, args...)
	if err != nil {
		panic(err)
	}
	return math.Float64frombits(res[0])
}

// module has one function of params floats and some locals. It goes three times through a loop of statements and
// branches, and gives the sum of all locals.
func module(seed uint64, copysign copysign) []byte {
	state := seed*2654435761 + 1
	random := func(n int) int {
		state = state*6364136223846793005 + 1442695040888963407
		return int(state>>33) % n
	}
	locals, steps := 8+random(23), 1+random(60)
	n := params + locals
	round, x, y := byte(n), byte(n+1), byte(n+2)
	var body []byte
	emit := func(b ...byte) { body = append(body, b...) }
	get := func(i int) { emit(0x20, byte(i)) }
	set := func(i int) { emit(0x21, byte(i)) }
	for i := range locals {
		get(i % params)
		get((7*i + 1) % params)
		emit(0xa0 + byte(i%3)) // add, sub, mul
		set(params + i)
	}
	var statements func(count, depth int)
	statements = func(count, depth int) {
		for range count {
			if depth > 0 && random(5) == 0 {
				get(random(n))
				get(random(n))
				emit(0x63, 0x04, 0x40) // if a < b
				statements(1+random(steps/4+1), depth-1)
				if random(2) == 0 {
					emit(0x05)
					statements(1+random(steps/4+1), depth-1)
				}
				emit(0x0b)
				continue
			}
			get(random(n))
			get(random(n))
			if random(2) == 0 {
				emit(copysign(x, y)...)
			} else {
				emit(0xa4 + byte(random(2))) // min, max
			}
			set(random(n))
		}
	}
	emit(0x03, 0x40) // loop
	statements(steps, 3)
	emit(0x20, round, 0x41, 1, 0x6a, 0x22, round, 0x41, 3, 0x48, 0x0d, 0, 0x0b)
	get(0)
	for i := 1; i < n; i++ {
		get(i)
		emit(0xa0)
	}
	emit(0x0b)

	f := append([]byte{3, byte(locals), 0x7c, 1, 0x7f, 2, 0x7c}, body...)
	code := append([]byte("\x00asm\x01\x00\x00\x00\x01\x0d\x01\x60\x08"), bytes.Repeat([]byte{0x7c}, params)...)
	code = append(code, "\x01\x7c\x03\x02\x01\x00\x07\x05\x01\x01f\x00\x00"...)
	return append(code, section(10, append([]byte{1}, section(-1, f)...))...)
}

// section is body after its length, and after id if there is one.
func section(id int, body []byte) (b []byte) {
	if id >= 0 {
		b = append(b, byte(id))
	}
	n := len(body)
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(append(b, byte(n)), body...)
}
EOF
go build -o finding . || { echo "could not be built" >&2; exit 3; }
seen=$(./finding 2>&1) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }
