// Package chain derives from a chain's blocks what executing its tipsets needs, and what the headers say of the result: headers and
// tipsets, the messages that are executed, their order, base fees, randomness of tickets and of the beacon, lookups across null
// rounds, consensus faults, and the roots of receipts.
//
//	store := chain.NewStore(blocks)
//	head, err := store.Head(ctx, roots) // of an archive
//	line := chain.NewLine(store, head)
//	ts, err := line.At(ctx, epoch)
//	rules := chain.Rules{Network: network, State: states, Migrate: migrate.New(network, bundles, states, migrate.Options{}).Migrate}
//	plan, err := rules.Plan(ctx, line, ts)
//	res, err := fvm.ApplyTipset(ctx, plan.Run)
//	root, err := chain.ReceiptsRoot(network.VersionAt(epoch), res.Receipts, nil)
//
// It is an implementation of its own, from the Filecoin specification, the FIPs, and what Lotus v1.36.3 does where those are silent,
// so that it can be a witness beside the nodes. Chains that Lotus made on its original VM are its tests, in package replay.
//
// Everything here decides results: errors of which errors.Is finds ErrTipset, and those that the state itself is the reason of, are alike on
// all nodes; others are this node's. Below it are amt, tree and supply; beside it migrate, which has goroutines. Programs and package
// replay call it. What does not belong here: whether a block is valid (signatures of messages, elections, winning PoSts), files, and time.
package chain
