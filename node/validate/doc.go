// Package validate judges whether blocks are ones that nodes take: elections and tickets, winning PoSts, entries of the beacon,
// signatures, times, weights, base fees, and the messages that a block may have.
//
//	rules := validate.Rules{Network: network, State: states, Winning: verifier}
//	base, err := rules.On(ctx, line, store, parent, epoch) // what all blocks of an epoch on a parent tipset have in common
//	messages, unread := store.Messages(ctx, header)
//	verdict, err := base.Block(ctx, header, messages, unread)
//
// Everything comes from the chain and its states: no network is asked, and no clock. So one rule of nodes is not here: that a block
// is not of the future. What a tipset's execution comes to is not worked out here either; Result tells it.
//
// The rules are those of the Filecoin specification and the FIPs, and where these are silent those of Lotus v1.36.3, for network
// version 16 and later: of blocks and of the two tipsets below them. Each rule that a block breaks is a Fault with the name of a Check. What cannot be judged, because the archive
// lacks an old state or nobody has a key, is said, and never counts as good or bad.
//
// Everything here decides results. It uses packages chain and tree; package replay and programs call it.
package validate
