// Package fork opens a real chain for a development node to go on from: of a live Lotus or Forest by JSON-RPC, or of an archive.
//
//	disk, err := fork.OpenDisk(dir, 4<<30, open)
//	src, err := fork.Open(ctx, fork.Options{Node: client, Disk: disk})
//	f, err := src.At(ctx, nil)
//	n, err := dev.New(ctx, dev.Options{Fork: f})
//
// State is content-addressed: blocks are fetched when something reads them, checked by their hash, kept on disk, and not fetched again.
// What a node says that no hash proves is which tipset is at an epoch of its own chain: that is checked against the headers around it, and
// kept too, so that everything works offline that has worked before.
//
// A state that an archive does not have is made by executing the chain from the nearest one below.
package fork
