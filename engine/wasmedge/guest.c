//go:build wasmedge && cgo && linux

// Loads modules, runs guests, and carries their calls of the host into Go.

#include "guest.h"
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "_cgo_export.h"

enum { I32 = 0x7f, I64 = 0x7e, F32 = 0x7d, F64 = 0x7c };

// Everything about validity is decided by the instrumentation pass; SIMD and
// what came after version 2 of WebAssembly are not part of it. The enumeration
// changes between versions, so all of it is cleared first. Reference types are
// needed although no guest has any: they allow the long form of a table index.
WasmEdge_ConfigureContext *efvm_configure(int interpreter, uint32_t max_pages) {
  static const enum WasmEdge_Proposal wanted[] = {
      WasmEdge_Proposal_ImportExportMutGlobals,  WasmEdge_Proposal_NonTrapFloatToIntConversions,
      WasmEdge_Proposal_SignExtensionOperators,  WasmEdge_Proposal_BulkMemoryOperations,
      WasmEdge_Proposal_ReferenceTypes,
  };
  WasmEdge_ConfigureContext *c = WasmEdge_ConfigureCreate();
  if (!c) return NULL;
  for (int p = 0; p <= (int)WasmEdge_Proposal_Component; p++)
    WasmEdge_ConfigureRemoveProposal(c, (enum WasmEdge_Proposal)p);
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) WasmEdge_ConfigureAddProposal(c, wanted[i]);
  WasmEdge_ConfigureSetMaxMemoryPage(c, max_pages);
#if WASMEDGE_VERSION_MINOR >= 17
  // Without this, machine code is accepted and then interpreted.
  WasmEdge_ConfigureSetRunMode(c, interpreter ? WasmEdge_RunMode_Interpreter : WasmEdge_RunMode_AOT);
#else
  WasmEdge_ConfigureSetForceInterpreter(c, interpreter != 0);
#endif
  return c;
}

// efvm_load reads machine code from path, or the module wasm if path is NULL.
uint32_t efvm_load(WasmEdge_ConfigureContext *conf, const char *path, const uint8_t *wasm, uint32_t len,
                   WasmEdge_ASTModuleContext **module) {
  WasmEdge_LoaderContext *l = WasmEdge_LoaderCreate(conf);
  WasmEdge_Result r = path ? WasmEdge_LoaderParseFromFile(l, module, path)
                           : WasmEdge_LoaderParseFromBytes(l, module, (WasmEdge_Bytes){.Length = len, .Buf = wasm});
  WasmEdge_LoaderDelete(l);
  if (!WasmEdge_ResultOK(r)) return r.Code;
  WasmEdge_ValidatorContext *v = WasmEdge_ValidatorCreate(conf);
  r = WasmEdge_ValidatorValidate(v, *module);
  WasmEdge_ValidatorDelete(v);
  if (WasmEdge_ResultOK(r)) return 0;
  WasmEdge_ASTModuleDelete(*module);
  return r.Code;
}

// enter and leave stand around all work of the library that may need its signal
// handlers.
static int enter(const struct efvm_guest *g, const struct efvm_guest **outer) {
  int inside = efvm_inside;
  *outer = efvm_current;
  efvm_current = g;
  efvm_inside = 1;
  return inside;
}

static void leave(int inside, const struct efvm_guest *outer) {
  efvm_inside = inside;
  efvm_current = outer;
}

// outer_state is the size of what the library knows, on this thread, of a guest that
// waits for the host; 0 without one. It is saved when another guest is about to run,
// which happens far less often than that a guest calls the host.
static size_t outer_state(void) {
  return efvm_current ? efvm_thread_local_size() : 0;
}

static void save(void *to, size_t n) {
  if (n) memcpy(to, efvm_thread_local(), n);
}

static void restore(const void *from, size_t n) {
  if (n) memcpy(efvm_thread_local(), from, n);
}

// LARGE is from where on a memory gets large pages. Few guests grow so far, and a page is cleared as a whole when it is
// first touched. The library maps what a memory grows by anew each time; the pass calls the host after such growth (instrument.LargeMemory).
enum { LARGE = 8 << 20, LARGE_PAGE = 2 << 20 };

// large_pages makes writing to fresh memory faster: a fault for each 4 KiB took nearly all of the time of a message that
// fills its memory. The kernel may refuse. Only what a large page fits in is worth the call: who grows by 64 KiB at a
// time, to the end, spends it on nothing else.
static void large_pages(uint8_t *base, uint64_t from, uint64_t to) {
#ifdef MADV_HUGEPAGE
  uintptr_t whole = ~(uintptr_t)(LARGE_PAGE - 1);
  uintptr_t start = (uintptr_t)(base + (from > LARGE ? from : LARGE)) & whole, end = (uintptr_t)(base + to) & whole;
  if (start < (uintptr_t)(base + LARGE)) start += LARGE_PAGE;
  if (start < end) madvise((void *)start, end - start, MADV_HUGEPAGE);
#endif
}

// efvm_refresh looks at what the guest may have changed.
void efvm_refresh(struct efvm_guest *g) {
  if (g->memory && efvm_memory_changed(g)) {
    uint64_t before = g->bytes;
    const uint8_t *at = g->base;
    g->bytes = (uint64_t)WasmEdge_MemoryInstanceGetPageSize(g->memory) << 16;
    g->base = WasmEdge_MemoryInstanceGetPointer(g->memory, 0, g->bytes ? 1 : 0);
    if (g->bytes > LARGE) large_pages(g->base, at == g->base ? before : 0, g->bytes);
  }
  if (g->count)
    g->counter = *g->count;
  else if (g->global)
    g->counter = WasmEdge_ValueGetI64(WasmEdge_GlobalInstanceGetValue(g->global));
}

static void put_counter(struct efvm_guest *g) {
  if (g->count)
    *g->count = g->counter;
  else if (g->global)
    WasmEdge_GlobalInstanceSetValue(g->global, WasmEdge_ValueGenI64(g->counter));
}

static uint64_t word(const WasmEdge_Value *v) {
  uint64_t w;
  memcpy(&w, &v->Value, sizeof w); // the low half, on the machines that the library knows
  return w;
}

static WasmEdge_Value value(uint8_t type, uint64_t w) {
  switch (type) {
  case I32:
    return WasmEdge_ValueGenI32((int32_t)w);
  case I64:
    return WasmEdge_ValueGenI64((int64_t)w);
  case F32: {
    float f;
    uint32_t half = (uint32_t)w;
    memcpy(&f, &half, sizeof f);
    return WasmEdge_ValueGenF32(f);
  }
  default: {
    double d;
    memcpy(&d, &w, sizeof d);
    return WasmEdge_ValueGenF64(d);
  }
  }
}

// efvm_host calls a host function, and returns whether it failed. Go runs on this
// thread until it returns, so other guests of the thread run inside of this call only.
int efvm_host(struct efvm_guest *g, const struct efvm_host *h, uint64_t *words) {
  const struct efvm_guest *outer = efvm_current;
  efvm_refresh(g);
  int inside = efvm_inside;
  efvm_inside = 0; // a fault of Go code is Go's
  int failed = efvmHostCall(g->handle, h->index, words);
  leave(inside, outer);
  put_counter(g);
  return failed;
}

// long_ways counts calls of the host that the library carried, and failures of others
// that it was told.
static uint64_t long_ways;

uint64_t efvm_get_long_ways(void) { return __atomic_load_n(&long_ways, __ATOMIC_RELAXED); }

// to_host is every host function, for the library.
static WasmEdge_Result to_host(void *data, const WasmEdge_CallingFrameContext *frame, const WasmEdge_Value *in,
                               WasmEdge_Value *out) {
  const struct efvm_host *h = data;
  struct efvm_guest *g = (struct efvm_guest *)efvm_current;
  uint64_t words[h->params + 1];
  (void)frame;
  __atomic_add_fetch(&long_ways, 1, __ATOMIC_RELAXED);
  int failed = g->failed;
  g->failed = 0;
  if (!failed) {
    words[0] = 0;
    for (uint32_t i = 0; i < h->params; i++) words[i] = word(&in[i]);
    failed = efvm_host(g, h, words);
  }
  // The number says nothing: the error waits in the Go instance.
  if (failed) return WasmEdge_ResultGen(WasmEdge_ErrCategory_UserLevelError, 1);
  if (h->results) out[0] = value(h->result, words[0]);
  return WasmEdge_Result_Success;
}

static WasmEdge_ValType val_type(uint8_t t) { return t == I32 ? WasmEdge_ValTypeGenI32() : WasmEdge_ValTypeGenI64(); }

WasmEdge_ModuleInstanceContext *efvm_import_module(const char *name, uint32_t len) {
  return WasmEdge_ModuleInstanceCreate(WasmEdge_StringWrap(name, len));
}

int efvm_import_add(WasmEdge_ModuleInstanceContext *m, const char *name, uint32_t len, const struct efvm_host *h,
                    const uint8_t *params) {
  WasmEdge_ValType types[h->params + 1], result = val_type(h->result);
  for (uint32_t i = 0; i < h->params; i++) types[i] = val_type(params[i]);
  WasmEdge_FunctionTypeContext *t = WasmEdge_FunctionTypeCreate(types, h->params, &result, h->results);
  WasmEdge_FunctionInstanceContext *f = WasmEdge_FunctionInstanceCreate(t, to_host, (void *)h, 0);
  WasmEdge_FunctionTypeDelete(t);
  if (!f) return 0;
  WasmEdge_ModuleInstanceAddFunction(m, WasmEdge_StringWrap(name, len), f);
  return 1;
}

uint32_t efvm_import_register(WasmEdge_ExecutorContext *ex, WasmEdge_StoreContext *st,
                              WasmEdge_ModuleInstanceContext *m) {
  return WasmEdge_ExecutorRegisterImport(ex, st, m).Code;
}

// remember notes the globals of a new guest, or none if one is not found: then the
// guest cannot be reset.
static void remember(struct efvm_guest *g, const struct efvm_name *names, uint32_t n) {
  g->globals = calloc(n, sizeof *g->globals);
  for (uint32_t i = 0; g->globals && i < n; i++) {
    WasmEdge_GlobalInstanceContext *at = WasmEdge_ModuleInstanceFindGlobal(g->module, WasmEdge_StringWrap(names[i].name, names[i].len));
    if (!at) return;
    g->globals[i].at = at;
    g->globals[i].first = WasmEdge_GlobalInstanceGetValue(at);
  }
  if (g->globals) g->n_globals = n;
}

uint32_t efvm_instantiate(struct efvm_guest *g, WasmEdge_StoreContext *st, const WasmEdge_ASTModuleContext *ast,
                          const char *memory, uint32_t memory_len, const char *counter, uint32_t counter_len,
                          const struct efvm_name *globals, uint32_t n_globals) {
  const struct efvm_guest *outer;
  size_t n = outer_state();
  char saved[n + 1];
  save(saved, n);
  int inside = enter(g, &outer);
  WasmEdge_Result r = WasmEdge_ExecutorInstantiate(g->executor, &g->module, st, ast);
  leave(inside, outer);
  restore(saved, n);
  if (!WasmEdge_ResultOK(r)) return r.Code;
  if (memory) g->memory = WasmEdge_ModuleInstanceFindMemory(g->module, WasmEdge_StringWrap(memory, memory_len));
  if (counter) g->global = WasmEdge_ModuleInstanceFindGlobal(g->module, WasmEdge_StringWrap(counter, counter_len));
  if (g->global) g->count = efvm_number_in(g->global);
  efvm_refresh(g);
  g->first_bytes = g->bytes;
  if (n_globals) remember(g, globals, n_globals);
  return 0;
}

static uint32_t run(struct efvm_guest *g, const struct efvm_export *f, uint64_t *stack, WasmEdge_Value *values) {
  const struct efvm_guest *outer;
  WasmEdge_Value *out = values + f->params;
  for (uint32_t i = 0; i < f->params; i++) values[i] = value(f->types[i], stack[i]);
  put_counter(g);
  size_t n = outer_state();
  char saved[n + 1];
  save(saved, n);
  int inside = enter(g, &outer);
  WasmEdge_Result r = WasmEdge_ExecutorInvoke(g->executor, g->func, values, f->params, out, f->results);
  leave(inside, outer);
  restore(saved, n);
  g->failed = 0; // also if the library went another way than to_host
  efvm_refresh(g);
  if (WasmEdge_ResultOK(r))
    for (uint32_t i = 0; i < f->results; i++) stack[i] = word(&out[i]);
  return r.Code;
}

uint32_t efvm_call(struct efvm_guest *g, const struct efvm_export *f, uint64_t *stack) {
  if (!efvm_stack_has_room()) return EFVM_NO_ROOM;
  if (g->func_of != f) {
    g->func = WasmEdge_ModuleInstanceFindFunction(g->module, WasmEdge_StringWrap(f->name, f->name_len));
    g->func_of = f;
  }
  if (!g->func) return EFVM_NO_EXPORT;
  WasmEdge_Value few[16];
  uint32_t n = f->params + f->results;
  if (n <= sizeof few / sizeof *few) return run(g, f, stack, few);
  WasmEdge_Value *many = calloc(n, sizeof *many);
  if (!many) return EFVM_NO_ROOM;
  uint32_t code = run(g, f, stack, many);
  free(many);
  return code;
}

void efvm_delete(struct efvm_guest *g) {
  if (g->module) WasmEdge_ModuleInstanceDelete(g->module);
  free(g->globals);
  free(g);
}

// efvm_trim gives to the system what was freed, where the C library can.
void efvm_trim(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

const char *efvm_message(uint32_t code) { return WasmEdge_ResultGetMessage((WasmEdge_Result){.Code = code}); }
