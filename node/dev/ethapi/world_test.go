package ethapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/edgefvm/fvm/node/dev"
	"github.com/edgefvm/fvm/node/dev/ethapi"
	"github.com/edgefvm/fvm/node/eth"
	"github.com/edgefvm/fvm/node/ethabi"
	"github.com/edgefvm/fvm/node/jsonrpc"
)

// world is a node with its methods, as a client sees it.
type world struct {
	t      testing.TB
	node   *dev.Node
	server *jsonrpc.Server
	client *jsonrpc.Client
	me     string // the first account
}

func start(t testing.TB, o dev.Options, api ethapi.Options) *world {
	t.Helper()
	node, err := dev.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range node.Genesis().Accounts {
		api.Keys = append(api.Keys, a.Private)
	}
	methods := &jsonrpc.Methods{}
	served := ethapi.New(node, api)
	served.Register(methods)
	t.Cleanup(func() {
		served.Close()
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	server := jsonrpc.New(methods, jsonrpc.Options{})
	w := &world{t: t, node: node, server: server, client: server.Client()}
	if o.Genesis.Accounts >= 0 {
		w.me = eth.Address(node.Genesis().Accounts[0].Eth).String()
	}
	return w
}

// ask calls a method, whose parameters are JSON, and reads the result.
func ask[T any](w *world, method string, params ...any) (result T) {
	w.t.Helper()
	if err := w.client.Call(w.t.Context(), &result, method, params...); err != nil {
		w.t.Fatalf("%s %v: %v", method, params, err)
	}
	return result
}

// refuse calls a method that must fail.
func (w *world) refuse(method string, params ...any) *jsonrpc.Error {
	w.t.Helper()
	var result json.RawMessage
	err := w.client.Call(w.t.Context(), &result, method, params...)
	var e *jsonrpc.Error
	if !errors.As(err, &e) {
		w.t.Fatalf("%s %v gave %s, %v, and must fail", method, params, result, err)
	}
	return e
}

type object = map[string]any

type artefact struct {
	ABI      json.RawMessage `json:"abi"`
	Bytecode string          `json:"bytecode"`
	abi      *ethabi.ABI
}

func load(t testing.TB, name string) *artefact {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var a artefact
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	if a.abi, err = ethabi.Parse(a.ABI); err != nil {
		t.Fatal(err)
	}
	return &a
}

// data is calldata of a function.
func (a *artefact) data(t testing.TB, function string, args ...any) string {
	t.Helper()
	e, err := a.abi.Function(function)
	if err != nil {
		t.Fatal(err)
	}
	if args == nil {
		args = []any{}
	}
	b, err := ethabi.EncodeCall(e, args)
	if err != nil {
		t.Fatal(err)
	}
	return eth.Data(b).String()
}

func word(n string) string { return strings.Repeat("0", 64-len(n)) + n }

type receipt struct {
	Status, GasUsed, BlockNumber, EffectiveGasPrice, CumulativeGasUsed, TransactionIndex string
	ContractAddress                                                                      *string
	TransactionHash, BlockHash                                                           string
	Logs                                                                                 []eth.Log
}

// send sends a transaction of the first account and gives its receipt.
func (w *world) send(tx object) *receipt {
	w.t.Helper()
	if tx["from"] == nil {
		tx["from"] = w.me
	}
	r := ask[*receipt](w, "eth_getTransactionReceipt", ask[string](w, "eth_sendTransaction", tx))
	if r == nil {
		w.t.Fatal("there is no receipt")
	}
	return r
}

// deploy makes a contract.
func (w *world) deploy(a *artefact, args string) string {
	w.t.Helper()
	r := w.send(object{"data": a.Bytecode + args})
	if r.Status != "0x1" || r.ContractAddress == nil {
		w.t.Fatalf("deployment: %+v", r)
	}
	return *r.ContractAddress
}

// raw answers a request as it came over the wire.
func (w *world) raw(request string) string {
	return string(bytes.TrimSpace(w.server.Handle(context.WithoutCancel(w.t.Context()), []byte(request))))
}

// dataText is the member data of an error that is text.
func dataText(v any) string {
	raw, _ := v.(json.RawMessage)
	var s string
	_ = json.Unmarshal(raw, &s)
	return s
}
