package dev

import (
	"context"
)

// Journal keeps records, each whole or not at all, in their order.
type Journal interface {
	// Append keeps a record. When it returns the record outlives the process.
	Append(ctx context.Context, record []byte) error
	// Records calls fn with each record. It is called once, before the first Append.
	Records(ctx context.Context, fn func(record []byte) error) error
}

func (n *Node) genesisTime(context.Context) (uint64, error) {
	if t := n.o.Genesis.Timestamp; t != 0 {
		return t, nil
	}
	return uint64(max(n.now().Unix(), 1)), nil
}

func (n *Node) restore(context.Context) error                { return nil }
func (n *Node) record(context.Context, *Block) error         { return nil }
func (n *Node) recordEdit(context.Context, *Block) error     { return nil }
func (n *Node) recordCut(context.Context, int, *Block) error { return nil }
