package call

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"

	"github.com/edgefvm/fvm/engine"
	"github.com/edgefvm/fvm/internal/vm/execerr"
	"github.com/edgefvm/fvm/internal/vm/machine"
	"github.com/edgefvm/fvm/internal/vm/syscalls"
	"github.com/edgefvm/fvm/internal/wasm/evmloop"
	"github.com/edgefvm/fvm/internal/wasm/instrument"
	"github.com/edgefvm/fvm/internal/wasm/ops"
)

// Modules is the cache of compiled actors of one era on one engine. Safe for
// concurrent use; machines share it.
type Modules struct {
	*compiled
	book  *Book // nil: none
	ahead bool  // tapes go into it, else they come from it
}

// compiled is what all uses of Modules share.
type compiled struct {
	env     engine.Env
	era     *machine.Profile
	refused func(format string, a ...any) error // makes the error of code that is not accepted
	rules   *instrument.Rules
	links   map[string]string // "module\x00name" to its type

	mu      sync.Mutex
	code    map[cid.Cid]*entry
	watched map[cid.Cid]*entry // copies that tell their opcodes

	luck        lucks // of tapes
	found, made atomic.Uint64
	pending     atomic.Int64
}

// Counts are how often code was there when it was asked for, and how often the engine was asked to compile it.
func (m *Modules) Counts() (found, made uint64) { return m.found.Load(), m.made.Load() }

// Pending is how many are being compiled.
func (m *Modules) Pending() int { return int(m.pending.Load()) }

type entry struct {
	mu    sync.Mutex
	mod   *module
	err   error // the code is refused; the same for everyone
	users int   // calls that run the module: it is not closed meanwhile
}

// invokeKind is what a module's "invoke" export is.
type invokeKind uint8

const (
	invokeOK       invokeKind = iota // (i32) -> i32
	invokeMissing                    // no such function
	invokeMismatch                   // cannot be called with one i32 for one result
	invokeResult                     // (i32) -> another type
)

// module is compiled code and what the call manager has to know of it.
type module struct {
	wasm                      engine.Module
	hasMemory                 bool // exports a memory as "memory"
	tableExported             bool // exports a table as "table"
	tableInit                 uint32
	minPages                  uint32
	elements                  uint64 // of all tables
	memoryLimits, tableLimits syscalls.GrowthLimits
	start                     string
	invoke                    invokeKind
	linkError                 error
	loop                      *evmloop.Loop // of a copy that tells its opcodes
	unwatched                 error         // why there is no such copy
}

// NewModules makes an empty cache for the era of a profile.
func NewModules(ctx context.Context, e engine.Engine, p *machine.Profile) (*Modules, error) {
	host := syscalls.HostFuncs(p.ABI)
	env, err := e.Env(ctx, engine.EnvConfig{Host: host, Counter: instrument.CounterExport, Reset: instrument.ResetSection})
	if err != nil {
		return nil, err
	}
	rules := instrument.RulesV040()
	if p.FirstPass {
		rules = instrument.RulesV020()
	}
	refused := execerr.Guestf
	if p.OnlyBuiltins {
		refused = execerr.Nodef // the reference would have made no machine
	}
	m := &compiled{env: env, era: p, rules: &rules, refused: refused, code: map[cid.Cid]*entry{}, watched: map[cid.Cid]*entry{}, links: map[string]string{}}
	for _, h := range host {
		if h.Module != "edgefvm" { // the pass's own; a guest cannot name them
			m.links[h.Module+"\x00"+h.Name] = signature(h.Params, h.Results)
		}
	}
	return &Modules{compiled: m}, nil
}

func signature[T ~byte](params, results []T) string {
	b := make([]byte, 0, len(params)+len(results)+1)
	for _, p := range params {
		b = append(b, byte(p))
	}
	b = append(b, '>')
	for _, r := range results {
		b = append(b, byte(r))
	}
	return string(b)
}

// Close releases the compiled code. No machine may be using it.
func (m *Modules) Close(ctx context.Context) error { return m.env.Close(ctx) }

// Preload compiles code that is known to be needed.
func (m *Modules) Preload(ctx context.Context, code cid.Cid, wasm []byte) error {
	e := m.entry(code)
	_, err := m.compile(ctx, e, code, func() ([]byte, error) { return wasm, nil })
	if err == nil {
		e.leave()
	}
	return err
}

// Has reports that code is compiled, and accepted.
func (m *Modules) Has(code cid.Cid) bool {
	m.mu.Lock()
	e := m.code[code]
	m.mu.Unlock()
	if e == nil {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mod != nil
}

// Forget closes compiled code that nobody runs. It is compiled again when it is asked for.
func (m *Modules) Forget(ctx context.Context, codes []cid.Cid) error {
	var errs []error
	for _, code := range codes {
		m.mu.Lock()
		e := m.code[code]
		m.mu.Unlock()
		if e != nil {
			errs = append(errs, e.forget(ctx))
		}
	}
	return errors.Join(errs...)
}

func (e *entry) forget(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.mod == nil || e.users > 0 {
		return nil
	}
	mod := e.mod
	e.mod = nil
	if mod.wasm == nil {
		return nil
	}
	return mod.wasm.Close(ctx)
}

// leave ends a use of the module.
func (e *entry) leave() {
	e.mu.Lock()
	e.users--
	e.mu.Unlock()
}

// load is the module of an actor's code, compiled on its first use. Without an error it is in use until leave is called.
func (m *Modules) load(ctx context.Context, mc *machine.Machine, code cid.Cid) (mod *module, e *entry, err error) {
	if mc.Profile.OnlyBuiltins && mc.Manifest.IDByCode(code) == 0 {
		return nil, nil, execerr.Guestf("no builtin actor has the code %s", code)
	}
	e = m.entry(code)
	if mod, err := e.ready(); mod != nil || err != nil {
		m.found.Add(1)
		return mod, e, err
	}
	mod, err = m.compile(ctx, e, code, reading(ctx, mc, code))
	return mod, e, err
}

// reading gives an actor's code from the machine's store.
func reading(ctx context.Context, mc *machine.Machine, code cid.Cid) func() ([]byte, error) {
	return func() ([]byte, error) {
		wasm, err := mc.Store.GetRaw(ctx, code)
		switch {
		case err == nil:
			return wasm, nil
		case !format.IsNotFound(err):
			return nil, execerr.Nodef("reading the code %s: %w", code, err)
		case mc.Manifest.IDByCode(code) != 0:
			// Every node of the network has the builtin actors.
			name, _ := mc.Manifest.Name(code)
			return nil, execerr.Nodef("the blockstore lacks the code %s of the builtin actor %q: load the actor bundle of network version %d into it", code, name, mc.NetworkVersion)
		default:
			return nil, execerr.Guestf("no code %s is known", code)
		}
	}
}

func (m *Modules) entry(code cid.Cid) *entry { return m.entryOf(m.code, code) }

func (m *Modules) entryOf(all map[cid.Cid]*entry, code cid.Cid) *entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := all[code]
	if e == nil {
		e = &entry{}
		all[code] = e
	}
	return e
}

// ready is what is known of the code, nothing if it is to be compiled. A module is in use from here on.
func (e *entry) ready() (*module, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.mod != nil {
		e.users++
	}
	return e.mod, e.err
}

// compile gives the module, in use as after ready.
func (m *Modules) compile(ctx context.Context, e *entry, code cid.Cid, read func() ([]byte, error)) (*module, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.mod != nil || e.err != nil {
		m.found.Add(1)
		if e.mod != nil {
			e.users++
		}
		return e.mod, e.err
	}
	wasm, err := read()
	if err != nil {
		return nil, err // code may be there another time
	}
	meta, err := instrument.Instrument(wasm, m.rules)
	if err != nil {
		e.err = m.refused("the code %s is not accepted: %w", code, err)
		return nil, e.err
	}
	mod, err := m.build(ctx, meta)
	if err != nil {
		// Nothing is kept: the engine may succeed another time, when the context is not cancelled.
		return nil, execerr.Nodef("compiling the code %s: %w", code, err)
	}
	e.mod = mod
	e.users++
	return mod, nil
}

func (m *Modules) build(ctx context.Context, meta *instrument.Module) (*module, error) {
	mod := &module{hasMemory: meta.MemoryExported, start: meta.StartExport, linkError: m.link(meta)}
	if meta.TableExported != nil {
		mod.tableExported, mod.tableInit = true, meta.TableExported.Min
	}
	if l := meta.Memory; l != nil {
		mod.minPages = l.Min
		mod.memoryLimits = growthLimits(l, ops.MaxPages, uint32(m.era.InstanceMemory/engine.PageSize))
	}
	if l := meta.Table; l != nil {
		most := m.era.TableElements
		mod.tableLimits = growthLimits(l, most, most)
		mod.tableLimits.Declared = min(mod.tableLimits.Declared, most) // refused before the account is asked
	}
	mod.elements = meta.Elements
	mod.invoke = invokeOf(meta)
	if mod.linkError != nil {
		return mod, nil // never instantiated
	}
	m.made.Add(1)
	m.pending.Add(1)
	defer m.pending.Add(-1)
	var err error
	if mod.wasm, err = m.env.Compile(ctx, meta.Code); err != nil {
		return nil, err
	}
	return mod, nil
}

func growthLimits(e *instrument.Extent, declared, instance uint32) syscalls.GrowthLimits {
	if e.HasMax {
		declared = e.Max
	}
	return syscalls.GrowthLimits{Declared: declared, Instance: instance}
}

// link checks that the network offers what the module imports.
func (m *Modules) link(meta *instrument.Module) error {
	for _, im := range meta.Imports {
		sig, ok := m.links[im.Module+"\x00"+im.Name]
		if !ok || sig != signature(im.Params, im.Results) {
			return execerr.Guestf("the actor imports %s::%s, which the network does not offer with that type", im.Module, im.Name)
		}
	}
	return nil
}

func invokeOf(meta *instrument.Module) invokeKind {
	ex, ok := meta.Exports["invoke"]
	const i32 = byte(engine.I32)
	switch {
	case !ok || !ex.IsFunc():
		return invokeMissing
	case len(ex.Params) != 1 || ex.Params[0] != i32 || len(ex.Results) != 1:
		return invokeMismatch
	case ex.Results[0] != i32:
		return invokeResult
	}
	return invokeOK
}
