package main

import "os"

func Example() {
	os.Args = []string{"explain", "../../lab/conformance/testdata/nv28-onboard-035.json"}
	main()
	// Output:
	// storageminer f0119 · TerminateSectors: 57290751 gas
	//   reward f02 · ThisEpochReward: 983638 gas
	//   storagepower f04 · CurrentTotalPower: 1019719 gas
	//   account f099 · Send: 6000 gas
	//   storagepower f04 · UpdatePledgeTotal: 2794831 gas
	//   storagemarket f05 · OnMinerSectorsTerminate: 10306865 gas
	//     account f099 · Send: 6000 gas
	//     35830096 block writes
	//      8546060 block reads
	//      6410858 Wasm execution
	//      3066000 system calls
	//      2385510 Wasm memory
	//       672463 chain inclusion
	//       478300 state tree
	//       387000 calls
	//       167630 link scan
	//        16492 events
	//          203 cryptography
	// exit code 0 gas 57960614
}
