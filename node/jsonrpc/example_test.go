package jsonrpc_test

import (
	"context"
	"fmt"

	"github.com/edgefvm/fvm/node/jsonrpc"
)

func Example() {
	methods := &jsonrpc.Methods{}
	methods.Register("eth_chainId", func() string { return "0x1df5e76" })
	methods.Register("eth_getBalance", func(_ context.Context, address string, block jsonrpc.Optional[string]) (string, error) {
		if block.Or("latest") != "latest" {
			return "", jsonrpc.Errorf(jsonrpc.CodeInvalidParams, "only the latest block is here")
		}
		return "0x5", nil
	}, jsonrpc.Names("address", "block"))

	server := jsonrpc.New(methods, jsonrpc.Options{}) // server.Serve(ctx, listener) serves clients from outside
	client := server.Client()
	var balance string
	err := client.Call(context.Background(), &balance, "eth_getBalance", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
	fmt.Println(balance, err)
	fmt.Println(client.Call(context.Background(), nil, "eth_getBalance", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x1"))
	fmt.Println(string(server.Handle(context.Background(), []byte(`{"jsonrpc":"2.0","id":1.0,"method":"eth_chainID"}`))))
	// Output:
	// 0x5 <nil>
	// only the latest block is here
	// {"jsonrpc":"2.0","id":1.0,"error":{"code":-32601,"message":"the method eth_chainID does not exist: did you mean eth_chainId?"}}
}
