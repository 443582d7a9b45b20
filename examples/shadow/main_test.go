package main

import "os"

func Example() {
	os.Args = []string{
		"shadow", "../../lab/conformance/testdata/nv28-multisig-007.json", "../../lab/conformance/testdata/nv18-script-args-004.json",
	}
	main()
	// Output:
	// nv28-multisig-007 exit code 17 gas 1868263 on both
	// nv18-script-args-004 exit code 0 gas 997993 on both
	// nv18-script-args-004 exit code 0 gas 1426045 on both
}
