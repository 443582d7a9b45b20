#!/usr/bin/env bash
# go-jsonrpc: what a request gets depends on how it is sent, and a large id comes back as another number.
#
# Package   github.com/filecoin-project/go-jsonrpc v0.10.2 (Go)
# Needs     Go 1.25 or newer
# Expected  JSON-RPC 2.0: an error is an answer like any other, a batch gets an array of answers, and the id comes back
#           with the same value. Over HTTP the status of a call that was understood is 200, by which clients tell a broken
#           transport from a refusal.
# Seen      An unknown method sent alone has status 500, which ethers, viem and web3.py take for a broken server; in a
#           batch it has 200. A batch over WebSocket gets no answer at all, in the two seconds that are waited here. Ids go
#           through a float64: above 2^53 the client sees an id that it never sent.
#
# What it printed, and must print:
#> HTTP, Add: 200 {"id":1,"jsonrpc":"2.0","result":3}
#> HTTP, no such method: 500 {"error":{"code":-32601,"message":"method 'T.Nope' not found"},"id":2,"jsonrpc":"2.0"}
#> HTTP, both in a batch: 200 [{"id":1,"jsonrpc":"2.0","result":3} ,{"error":{"code":-32601,"message":"method 'T.Nope' not found"},"id":2,"jsonrpc":"2.0"} ]
#> HTTP, id 2^53+1: 200 {"id":9007199254740992,"jsonrpc":"2.0","result":3}
#> WebSocket, Add: {"id":1,"jsonrpc":"2.0","result":3}
#> WebSocket, no such method: {"error":{"code":-32601,"message":"method 'T.Nope' not found"},"id":2,"jsonrpc":"2.0"}
#> WebSocket, id 2^53+1: {"id":9007199254740992,"jsonrpc":"2.0","result":3}
#> WebSocket, both in a batch: no answer
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

require (
	github.com/filecoin-project/go-jsonrpc v0.10.2
	github.com/gorilla/websocket v1.5.3
)
EOF
cat > main.go <<'EOF'
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/filecoin-project/go-jsonrpc"
	"github.com/gorilla/websocket"
)

type calculator struct{}

func (calculator) Add(a, b int) int { return a + b }

func main() {
	rpc := jsonrpc.NewServer()
	rpc.Register("T", calculator{})
	server := httptest.NewServer(rpc)
	defer server.Close()

	add := `{"jsonrpc":"2.0","id":1,"method":"T.Add","params":[1,2]}`
	nope := `{"jsonrpc":"2.0","id":2,"method":"T.Nope","params":[]}`
	large := `{"jsonrpc":"2.0","id":9007199254740993,"method":"T.Add","params":[1,2]}`
	batch := "[" + add + "," + nope + "]"

	post := func(name, body string) {
		resp, err := http.Post(server.URL, "application/json", strings.NewReader(body))
		check(err)
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		check(err)
		fmt.Printf("HTTP, %s: %d %s\n", name, resp.StatusCode, strings.Join(strings.Fields(strings.ReplaceAll(string(answer), "\n", " ")), " "))
	}
	post("Add", add)
	post("no such method", nope)
	post("both in a batch", batch)
	post("id 2^53+1", large)

	ask := func(name, body string) {
		c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
		check(err)
		defer c.Close()
		check(c.WriteMessage(websocket.TextMessage, []byte(body)))
		check(c.SetReadDeadline(time.Now().Add(2 * time.Second)))
		_, answer, err := c.ReadMessage()
		if err != nil {
			answer = []byte("no answer")
		}
		fmt.Printf("WebSocket, %s: %s\n", name, strings.TrimSpace(string(answer)))
	}
	ask("Add", add)
	ask("no such method", nope)
	ask("id 2^53+1", large)
	ask("both in a batch", batch)
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
