#!/usr/bin/env bash
# go-jsonrpc: a registered error that is wrapped once arrives without its code and its type.
#
# Package   github.com/filecoin-project/go-jsonrpc v0.10.2 (Go)
# Needs     Go 1.25 or newer
# Expected  Since Go 1.13 an error is recognized inside another by errors.As; a table of errors with codes should be
#           asked that way, and a context that somebody adds on the way up changes the text alone.
# Seen      The table is asked for the type of the outermost error. fmt.Errorf with %w around a registered error makes
#           its code 1, and the client's errors.As finds nothing: a client that tells "out of gas" from "not found" by
#           type or code stops to, as soon as a function in between adds a word.
#
# What it printed, and must print:
#> returned as it is: {"error":{"code":1001,"message":"gone"},"id":1,"jsonrpc":"2.0"}; the client finds its type true
#> wrapped once: {"error":{"code":1,"message":"looking: gone"},"id":1,"jsonrpc":"2.0"}; the client finds its type false
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

require github.com/filecoin-project/go-jsonrpc v0.10.2
EOF
cat > main.go <<'EOF'
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/filecoin-project/go-jsonrpc"
)

type gone struct{}

func (*gone) Error() string { return "gone" }

type service struct{}

func (service) Plain() error   { return &gone{} }
func (service) Wrapped() error { return fmt.Errorf("looking: %w", &gone{}) }

func main() {
	table := jsonrpc.NewErrors()
	table.Register(1001, new(*gone))
	rpc := jsonrpc.NewServer(jsonrpc.WithServerErrors(table))
	rpc.Register("T", service{})
	server := httptest.NewServer(rpc)
	defer server.Close()

	var client struct {
		Plain   func() error
		Wrapped func() error
	}
	stop, err := jsonrpc.NewMergeClient(context.Background(), server.URL, "T", []any{&client}, nil, jsonrpc.WithErrors(table))
	check(err)
	defer stop()
	for _, c := range []struct {
		name, method string
		call         func() error
	}{{"returned as it is", "T.Plain", client.Plain}, {"wrapped once", "T.Wrapped", client.Wrapped}} {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":[]}`, c.method)
		resp, err := http.Post(server.URL, "application/json", strings.NewReader(body))
		check(err)
		answer, err := io.ReadAll(resp.Body)
		check(err)
		check(resp.Body.Close())
		var g *gone
		fmt.Printf("%s: %s; the client finds its type %v\n", c.name, strings.TrimSpace(string(answer)), errors.As(c.call(), &g))
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
EOF
go build -o finding . || { echo "could not be built" >&2; exit 3; }
seen=$(./finding 2>/dev/null) || true
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "the behaviour changed" >&2; exit 1; }
