//go:build wasmedge && cgo && linux

// What the C and the Go part of the binding share.

#ifndef EFVM_GUEST_H
#define EFVM_GUEST_H

#include <stddef.h>
#include <stdint.h>
#include <wasmedge/wasmedge.h>

#if WASMEDGE_VERSION_MAJOR == 0 && WASMEDGE_VERSION_MINOR < 14
#error "libwasmedge 0.14.1 or later is needed"
#endif

// A live instance. Go reads and writes base, bytes and counter here, so that
// looking at a guest's memory or gas costs no call into C. They are brought up to
// date on each way out of the guest, and counter goes back on each way in.
struct efvm_guest {
  uintptr_t handle; // of the Go instance
  WasmEdge_ExecutorContext *executor;
  WasmEdge_ModuleInstanceContext *module;
  WasmEdge_MemoryInstanceContext *memory;  // NULL without one
  WasmEdge_GlobalInstanceContext *global;  // the counter's, NULL without one
  WasmEdge_FunctionInstanceContext *func;  // the export found last
  const struct efvm_export *func_of;       // and what it was found for
  int64_t *count;                          // the counter in the library's object, NULL if unknown
  uint8_t *base;
  uint64_t bytes;
  int64_t counter;
  uint64_t first_bytes; // of the memory when the guest was new
  uint32_t n_globals;   // those that a reset sets back
  uint64_t heap;        // what it takes of the C library's heap, by estimate
  struct efvm_global *globals;
  const struct efvm_host *const *imports; // by the index of the function
  uint32_t n_imports;
  int failed; // a host function did, and the library is still to be told
};

// A mutable global of a guest, and its value when the guest was new.
struct efvm_global {
  WasmEdge_GlobalInstanceContext *at;
  WasmEdge_Value first;
};

// A name of an export.
struct efvm_name {
  const char *name;
  uint32_t len;
};

// A module's memory when new, in blocks. NULL is a block of zeros.
struct efvm_image {
  size_t blocks;
  uint8_t *block[];
};

// A function that a module exports. Types are those of the binary format.
struct efvm_export {
  uint32_t name_len, params, results;
  const char *name;
  const uint8_t *types; // of the parameters, then of the results
};

// A function of the host. It lives as long as its environment.
struct efvm_host {
  uint32_t index, params, results;
  uint8_t result;
  uint64_t halves; // a bit for each parameter of 32 bits; there are not more than it has (maxParams)
};

// What efvm_call returns besides the library's codes.
#define EFVM_NO_ROOM 0xffffffffu   // nothing ran: the native stack is too short
#define EFVM_NO_EXPORT 0xfffffffeu // nothing ran
#define EFVM_TORN 0xfffffffdu      // it never returned
// A host function's error: category and number.
#define EFVM_HOST_FAILED (((uint32_t)WasmEdge_ErrCategory_UserLevelError << 24) | 1u)

// guest.c
WasmEdge_ConfigureContext *efvm_configure(int interpreter, uint32_t max_pages);
uint32_t efvm_load(WasmEdge_ConfigureContext *conf, const char *path, const uint8_t *wasm, uint32_t len,
                   WasmEdge_ASTModuleContext **module);
WasmEdge_ModuleInstanceContext *efvm_import_module(const char *name, uint32_t len);
int efvm_import_add(WasmEdge_ModuleInstanceContext *m, const char *name, uint32_t len, const struct efvm_host *h,
                    const uint8_t *params);
uint32_t efvm_import_register(WasmEdge_ExecutorContext *ex, WasmEdge_StoreContext *st,
                              WasmEdge_ModuleInstanceContext *m);
uint32_t efvm_instantiate(struct efvm_guest *g, WasmEdge_StoreContext *st, const WasmEdge_ASTModuleContext *ast,
                          const char *memory, uint32_t memory_len, const char *counter, uint32_t counter_len,
                          const struct efvm_name *globals, uint32_t n_globals);
void efvm_refresh(struct efvm_guest *g);
uint32_t efvm_call(struct efvm_guest *g, const struct efvm_export *f, uint64_t *stack);
void efvm_delete(struct efvm_guest *g);
void efvm_trim(void);
const char *efvm_message(uint32_t code);

int efvm_host(struct efvm_guest *g, const struct efvm_host *h, uint64_t *words);
uint64_t efvm_get_long_ways(void);

// shortcut.c
int efvm_knows_table(const char *library, uint32_t number);
void efvm_shortcut(const char *path);

// reset.c
int efvm_can_shrink(void);
size_t efvm_page_count(void);
int efvm_shrink(struct efvm_guest *g);
struct efvm_image *efvm_image_of(const struct efvm_guest *g);
void efvm_image_free(struct efvm_image *image);
uint64_t efvm_reset(struct efvm_guest *g, const struct efvm_image *image, const unsigned char *there);
const char *efvm_difference(struct efvm_guest *g, struct efvm_guest *fresh, uint64_t *at);

// places.c
int efvm_memory_changed(const struct efvm_guest *g);
int64_t *efvm_number_in(WasmEdge_GlobalInstanceContext *global);
int efvm_knows_counters(void);

// signals.c
extern _Thread_local volatile int efvm_inside; // this thread is in the library or a guest, not in Go
extern _Thread_local const struct efvm_guest *volatile efvm_current;
enum efvm_fault { EFVM_FAULT_GUEST, EFVM_FAULT_STACK, EFVM_FAULT_NATIVE };
enum efvm_fault efvm_judge(int sig, uintptr_t at, uintptr_t base, uintptr_t sp, uintptr_t low);
const char *efvm_guard(void);
int efvm_guarded(void);
uint64_t efvm_blocked(void);

// threads.c
const char *efvm_thread_local_check(void);
size_t efvm_thread_local_size(void);
void *efvm_thread_local(void);
uintptr_t efvm_stack_low(void);
uint64_t efvm_stack_left(void);
int efvm_stack_has_room(void);

#endif
