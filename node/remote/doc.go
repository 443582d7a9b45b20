// Package remote is the blocks of a node as a blockstore: what is asked for is fetched by JSON-RPC, checked by its hash, kept in a [Cache]
// on disk, and never fetched twice. It knows blocks and nothing of chains; who follows a chain or forks from one stands upon it.
package remote
