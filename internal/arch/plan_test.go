package arch

// room is a package of this module.
type room struct {
	path   string // from the root; "" is the root itself
	storey int    // it may import lower storeys only
	// decides is true for rooms that decide results, on every node alike: in
	// them nothing may depend on the machine, the time, or the order of a map.
	decides bool
}

// plan is the floor plan. Rooms on one storey do not know each other.
var plan = []room{
	{"cmd/edgefvm", 17, false},
	{"internal/cli", 16, false},
	{"fuzz", 15, false},
	{"internal/sweep", 15, false},
	{"internal/duel/dueltest", 15, false}, // for tests
	{"internal/duel", 14, false},
	{"shadow", 13, false},
	{"internal/goldentest", 13, false}, // for tests
	{"conformance", 12, false},
	{"", 11, false},                  // the front door: New, Machine, Engine
	{"internal/parallel", 10, false}, // goroutines: it decides when messages run, and compares what they read
	{"internal/executor", 9, true},
	{"internal/call", 8, true},
	{"internal/syscalls", 7, true},
	{"internal/kernel", 6, true},
	{"internal/machine", 5, true},
	{"internal/actors", 4, true},
	{"internal/state", 3, true},
	{"internal/gas", 2, true},
	{"internal/hamt", 2, true},
	{"bundle", 2, false},
	{"oracle", 1, false},
	{"bls", 1, false},
	{"blockstore", 1, true},
	{"trace", 1, true},
	{"internal/event", 1, true},
	{"internal/ipld", 1, true},
	{"internal/proofparams", 1, true},
	{"internal/execerr/execerrtest", 1, false}, // for tests
	{"engine/wasmedge", 2, false},
	{"engine/wazero", 1, false},
	{"engine/wasmtime", 1, false},
	{"engine/enginetest", 1, false},
	{"engine/tiered", 2, false},
	{"engine/wasmedge/aot", 1, false},
	{"engine/internal/binary", 0, false},
	{"engine", 0, true},
	{"externs", 0, true},
	{"internal/instrument", 1, true},
	{"internal/wasmops", 0, true},
	{"internal/execerr", 0, true},
	{"internal/crypto", 0, true},
	{"internal/cbor", 0, true},
	{"internal/addr", 0, true},
	{"internal/wholefile", 0, false},
	{"internal/filelock", 0, false},
	{"internal/wasmgen", 1, false},
	{"fuzz/internal/script", 0, false},
	{"internal/arch", 0, false},
}

// banned is what a room that decides results must not import, with all below it.
var banned = []string{
	"C", "crypto/rand", "expvar", "log", "math/cmplx", "math/rand", "net", "os", "plugin", "runtime", "syscall", "testing", "time", "unsafe",
}

// exceptions are the rules broken on purpose. One that is not needed any more is a fault.
var exceptions = []exception{
	{"internal/addr", "imports unsafe", "go-address has no way in for IDs and namespaces of 64 bits"},
}

type exception struct{ room, what, why string }
