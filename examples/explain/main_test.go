package main

import "os"

func Example() {
	os.Args = []string{"explain", "../../lab/conformance/testdata/nv28-onboard-035.json"}
	main()
	// Output:
	// f0119 method 9, 0 attoFIL
	//   f0119 is of storageminer
	//   f02 method 3, 0 attoFIL
	//     f02 is of reward
	//   f04 method 9, 0 attoFIL
	//     f04 is of storagepower
	//   f099 method 0, 837118856 attoFIL
	//     f099 is of account
	//   f04 method 6, 0 attoFIL
	//     f04 is of storagepower
	//   f05 method 7, 0 attoFIL
	//     f05 is of storagemarket
	//     f099 method 0, 1000000000000000000 attoFIL
	//       f099 is of account
	//     35762416 OnBlockLink
	//      8448300 OnBlockOpenBase
	//      6410858 wasm_exec
	//      3066000 OnSyscall
	//      2254438 wasm_memory_init
	// exit code 0 gas 57960614
}
