package main

import "os"

func Example() {
	os.Args = []string{"tipset", "../../lab/fuzz/worlds/nv28.car.gz"}
	main()
	// Output:
	// epoch 5800076 at 174002280
	// epoch 5800077 at 174002310
	// exit code 0 gas 1197663 tip 14000000
	// exit code 0 gas 1197663 tip 14000000
	// 1 null round, 2 rewards, cron's exit code 0
	// state bafy2bzacecjafxltftbnsqgsh6hwbsflwkipc4gxcuti4px3tflykktpvq62a
	// in the store: true
}
