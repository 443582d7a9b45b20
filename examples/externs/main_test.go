package main

import "os"

func Example() {
	os.Args = []string{"externs", "../../lab/conformance/testdata/nv28-onboard-007.json"}
	main()
	// Output:
	// a chain that begins at epoch 0
	// asked for the ticket of epoch 5801840
	// asked for the beacon of epoch 5801870
	// asked for the ticket of epoch 5801840
	// asked for the beacon of epoch 5801870
	// asked for the ticket of epoch 5801840
	// asked for the beacon of epoch 5801870
	// asked for the ticket of epoch 5801840
	// asked for the beacon of epoch 5801870
	// exit code 0 gas 191083250
	// a chain that begins at epoch 5802020
	// asked for the ticket of epoch 5801840
	// no receipt; is it the node's failure: true
}
