package arch

// wing is a part of the house that can be told from the folders.
type wing string

const (
	machine    wing = "the machine"    // executes messages; what a program imports, and what that needs
	laboratory wing = "the laboratory" // compares the machine with the reference, and measures it
	node       wing = "the node"       // follows chains, and stands in for other modules
	command    wing = "the command"    // what a person types
	examples   wing = "the examples"   // what a program may look like
)

// may says which wings a wing uses besides itself.
var may = map[wing][]wing{
	machine:    nil,
	laboratory: {machine},
	node:       {machine},
	command:    {machine, laboratory, node},
	examples:   {machine},
}

// room is a package of this repository.
type room struct {
	path   string // from the root; "" is the root itself
	wing   wing
	storey int // it may import lower storeys only
	// decides is true for rooms that decide results, on every node alike: in
	// them nothing may depend on the machine, the time, or the order of a map.
	decides bool
}

// plan is the floor plan. Rooms on one storey do not know each other.
var plan = []room{
	{"cmd/edgefvm", command, 22, false},
	{"cmd/edgefvm/internal/cli", command, 21, false},
	{"cmd/edgefvm/internal/chains", command, 20, false},  // shows states as states does
	{"cmd/edgefvm/internal/devnode", command, 20, false}, // says the version as upkeep does
	{"cmd/edgefvm/internal/decoding", command, 19, false},
	{"cmd/edgefvm/internal/laboratory", command, 19, false},
	{"cmd/edgefvm/internal/messages", command, 19, false},
	{"cmd/edgefvm/internal/proving", command, 19, false},
	{"cmd/edgefvm/internal/states", command, 19, false},
	{"cmd/edgefvm/internal/upkeep", command, 19, false},
	{"cmd/edgefvm/internal/clitest", command, 19, false}, // for tests
	{"cmd/edgefvm/internal/kit", command, 18, false},
	{"cmd/edgefvm/internal/term", command, 17, false},

	{"examples/intest", examples, 14, false},
	{"examples/tipset", examples, 14, false},
	{"examples/shadow", examples, 14, false},
	{"examples/explain", examples, 14, false},
	{"examples/externs", examples, 14, false},
	{"examples/engine", examples, 14, false},

	{"node", node, 14, false},
	{"node/network", node, 6, false},          // reads files
	{"node/textform", node, 12, false},        // what people write
	{"node/actors", node, 15, false},          // methods, parameters and returns of the builtin actors
	{"node/ethtx", node, 2, true},             // transactions of Ethereum
	{"node/eth", node, 15, false},             // a chain in Ethereum's JSON
	{"node/ethabi", node, 14, false},          // what contracts take and give
	{"node/actors/jsonview", node, 13, false}, // values of go-state-types as JSON
	{"node/replay", node, 16, false},          // files
	{"node/validate", node, 15, true},
	{"node/follow", node, 17, false},         // files, time
	{"node/follow/standin", node, 17, false}, // a node, for tests
	{"node/chain/migrate", node, 14, false},  // goroutines, of go-state-types
	{"node/chain", node, 14, true},
	{"node/chain/supply", node, 13, true},
	{"node/chain/tree", node, 12, true},
	{"node/chain/amt", node, 1, true},
	{"blockstore/pebble", machine, 2, false},      // a module of its own
	{"node/state", node, 14, false},               // what a state holds, and what differs between two
	{"node/jsonrpc", node, 1, false},              // a server: connections, time
	{"node/filapi", node, 17, false},              // the JSON-RPC of a Filecoin node, on an archive or a development node
	{"node/lotusrpc", node, 1, false},             // a client of nodes
	{"node/dev/genesis", node, 15, false},         // the state that a development network begins with
	{"node/ethtrace", node, 16, false},            // what a trace is in Ethereum's words
	{"node/dev/ethapi", node, 18, false},          // Ethereum's JSON-RPC of a development node
	{"node/dev/edit", node, 16, false},            // states changed by hand
	{"node/dev", node, 16, false},                 // a chain in one process that executes messages as they come
	{"node/dev/cheats", node, 18, false},          // what development tools bend a chain by
	{"node/dev/devtest", node, 17, false},         // such a chain in a test
	{"node/internal/collections", node, 1, false}, // HAMTs, AMTs and KAMTs as they stand in blocks
	{"node/internal/closed", node, 13, false},     // what a machine reads and asks, for vectors
	{"node/dev/sidebyside", node, 1, false},       // a command that measures nodes by their ports

	{"lab/fuzz", laboratory, 16, false},
	{"lab/sweep", laboratory, 16, false},
	{"lab/duel/dueltest", laboratory, 16, false}, // for tests
	{"lab/duel", laboratory, 15, false},
	{"lab/bench/chart", laboratory, 15, false},
	{"lab/bench", laboratory, 14, false},
	{"lab/soak", laboratory, 14, false},
	{"lab/conformance/goldentest", laboratory, 14, false}, // for tests
	{"lab/conformance", laboratory, 13, false},
	{"lab/proofduel", laboratory, 7, false},
	{"lab/proofvectors", laboratory, 6, false},
	{"lab/oracle", laboratory, 13, false},
	{"lab/oracle/renew", laboratory, 14, false}, // a command
	{"lab/enginetest", laboratory, 1, false},    // the contract of an engine, for tests
	{"lab/wasmgen", laboratory, 1, false},
	{"lab/fuzz/internal/script", laboratory, 2, false},

	{"explain/evmtrace", machine, 14, false}, // opcodes of contracts
	{"explain/text", machine, 14, false},
	{"explain/flame", machine, 14, false},
	{"explain/pprof", machine, 14, false},
	{"explain", machine, 13, false}, // a trace or vector in, a tree out
	{"shadow", machine, 13, false},
	{"vector", machine, 12, false},
	{"", machine, 11, false},                     // the front door: New, Machine, Engine
	{"internal/vm/parallel", machine, 10, false}, // goroutines: it decides when messages run, and compares what they read
	{"internal/vm/executor", machine, 9, true},
	{"internal/vm/call", machine, 8, true},
	{"internal/vm/syscalls", machine, 7, true},
	{"internal/vm/kernel", machine, 6, true},
	{"internal/vm/machine", machine, 5, true},
	{"internal/vm/actors", machine, 4, true},
	{"internal/vm/state", machine, 3, true},
	{"internal/vm/gas", machine, 2, true},
	{"internal/vm/event", machine, 1, true},
	{"internal/vm/links", machine, 1, true},
	{"internal/vm/proofparams", machine, 1, true},
	{"internal/vm/execerr/execerrtest", machine, 1, false}, // for tests
	{"internal/vm/execerr", machine, 0, true},
	{"internal/vm/crypto", machine, 0, true},
	{"internal/vm/nv", machine, 0, true},
	{"proofs/pieces", machine, 2, false}, // goroutines
	{"proofs", machine, 5, false},        // files of keys
	{"internal/proofs/snarkpack", machine, 4, true},
	{"internal/proofs/porep", machine, 4, true},
	{"internal/proofs/post", machine, 4, true},
	{"internal/proofs/update", machine, 4, true},
	{"internal/proofs/keys", machine, 3, false}, // files
	{"internal/proofs/gt", machine, 1, true},
	{"internal/proofs/msm", machine, 1, false},     // work is shared out by the number of cores
	{"internal/proofs/groth16", machine, 2, false}, // random coefficients, of which no verdict depends
	{"internal/proofs/curve", machine, 0, false},   // C under the tag blst, goroutines
	{"internal/proofs/feistel", machine, 0, false}, // remembers hashes
	{"internal/proofs/comm", machine, 0, true},
	{"internal/proofs/registered", machine, 0, true},
	{"internal/engine/tiered", machine, 2, false},
	{"internal/engine/aot", machine, 1, false},
	{"internal/wasm/instrument", machine, 1, true},
	{"internal/wasm/evmloop", machine, 1, true}, // for tracing only
	{"internal/wasm/ops", machine, 0, true},
	{"internal/ipld/hamt", machine, 2, true},
	{"internal/ipld/cbor", machine, 0, true},
	{"internal/ipld/addr", machine, 0, true},
	{"internal/ipld/packing", machine, 0, true},
	{"internal/layout", machine, 0, false}, // text in columns
	{"internal/disk/wholefile", machine, 0, false},
	{"internal/disk/filelock", machine, 0, false},
	{"internal/disk/owned", machine, 0, false},
	{"bundle", machine, 5, false},
	{"bls", machine, 1, false},
	{"blockstore/carfile", machine, 2, false}, // files
	{"blockstore", machine, 1, true},
	{"trace", machine, 1, true},
	{"externs", machine, 0, true},
	{"engine/wasmedge", machine, 3, false},
	{"engine/wazero", machine, 2, false},
	{"engine/wasmtime", machine, 2, false},
	{"engine/internal/binary", machine, 1, false},
	{"engine", machine, 0, true},

	{"internal/arch", machine, 0, false},
}

// banned is what a room that decides results must not import, with all below it.
var banned = []string{
	"C", "crypto/rand", "expvar", "log", "math/cmplx", "math/rand", "net", "os", "plugin", "runtime", "syscall", "testing", "time", "unsafe",
}

// exceptions are the rules broken on purpose. One that is not needed any more is a fault.
var exceptions = []exception{
	{"internal/ipld/addr", "imports unsafe", "go-address has no way in for IDs and namespaces of 64 bits"},
}

type exception struct{ room, what, why string }
