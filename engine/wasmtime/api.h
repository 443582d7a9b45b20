// What the adapter uses of wasmtime's C API, version 37. The headers are in the
// module wasmtime-go, where another module's C code cannot include them. A test
// compiles these declarations together with the headers.
#ifndef EDGEFVM_WASMTIME_API_H
#define EDGEFVM_WASMTIME_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef WASMTIME_API_H // the real headers, in the test

typedef struct { size_t size; char *data; } wasm_byte_vec_t;
typedef wasm_byte_vec_t wasm_name_t;

typedef struct wasm_config_t wasm_config_t;
typedef struct wasm_engine_t wasm_engine_t;
typedef struct wasm_trap_t wasm_trap_t;
typedef struct wasm_valtype_t wasm_valtype_t;
typedef struct wasm_functype_t wasm_functype_t;
typedef struct wasm_globaltype_t wasm_globaltype_t;
typedef struct wasm_externtype_t wasm_externtype_t;
typedef struct wasm_exporttype_t wasm_exporttype_t;
typedef struct { size_t size; wasm_valtype_t **data; } wasm_valtype_vec_t;
typedef struct { size_t size; wasm_exporttype_t **data; } wasm_exporttype_vec_t;
enum { WASM_I32, WASM_I64, WASM_F32, WASM_F64 };                           // kinds of value
enum { WASM_EXTERN_FUNC, WASM_EXTERN_GLOBAL, WASM_EXTERN_TABLE, WASM_EXTERN_MEMORY }; // kinds of export
enum { WASM_CONST, WASM_VAR };

typedef struct wasmtime_error wasmtime_error_t;
typedef struct wasmtime_module wasmtime_module_t;
typedef struct wasmtime_linker wasmtime_linker_t;
typedef struct wasmtime_store wasmtime_store_t;
typedef struct wasmtime_context wasmtime_context_t;
typedef struct wasmtime_caller wasmtime_caller_t;
typedef struct wasmtime_instance_pre wasmtime_instance_pre_t;
typedef struct { uint64_t store_id; size_t index; } wasmtime_instance_t;
typedef struct { uint64_t store_id; size_t index; } wasmtime_func_t;
typedef struct { uint64_t store_id; uint32_t hidden[3]; } wasmtime_memory_t;
typedef struct { uint64_t store_id; uint32_t hidden[3]; } wasmtime_global_t;

#define WASMTIME_EXTERN_FUNC 0
#define WASMTIME_EXTERN_GLOBAL 1
#define WASMTIME_EXTERN_MEMORY 3
typedef struct {
	uint8_t kind;
	union { wasmtime_func_t func; wasmtime_memory_t memory; wasmtime_global_t global; } of;
} wasmtime_extern_t;

#define WASMTIME_I64 1
typedef struct {
	uint8_t kind;
	union { int64_t i64; uint64_t size[3]; } of;
} wasmtime_val_t;
typedef union { int64_t i64; uint64_t size[2]; } wasmtime_val_raw_t;

typedef wasm_trap_t *(*wasmtime_func_unchecked_callback_t)(
	void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *args_and_results, size_t n);

#endif

// The test fails if one of these is not so in the real headers.
_Static_assert(sizeof(wasmtime_instance_t) == 16, "instance");
_Static_assert(sizeof(wasmtime_func_t) == 16, "func");
_Static_assert(sizeof(wasmtime_memory_t) == 24, "memory");
_Static_assert(sizeof(wasmtime_global_t) == 24, "global");
_Static_assert(sizeof(wasmtime_extern_t) == 32 && offsetof(wasmtime_extern_t, of) == 8, "extern");
_Static_assert(sizeof(wasmtime_val_t) == 32 && offsetof(wasmtime_val_t, of) == 8, "val");
_Static_assert(sizeof(wasmtime_val_raw_t) == 16, "val_raw");
_Static_assert(sizeof(wasm_byte_vec_t) == 16 && offsetof(wasm_byte_vec_t, data) == 8, "byte_vec");
_Static_assert(sizeof(wasm_valtype_vec_t) == 16 && offsetof(wasm_valtype_vec_t, data) == 8, "valtype_vec");
_Static_assert(sizeof(wasm_exporttype_vec_t) == 16 && offsetof(wasm_exporttype_vec_t, data) == 8, "exporttype_vec");
_Static_assert(WASM_I32 == 0 && WASM_I64 == 1 && WASM_F64 == 3, "kinds of value");
_Static_assert(WASM_EXTERN_FUNC == 0 && WASM_EXTERN_GLOBAL == 1 && WASM_EXTERN_MEMORY == 3, "kinds of export");
_Static_assert(WASMTIME_EXTERN_FUNC == 0 && WASMTIME_EXTERN_GLOBAL == 1 && WASMTIME_EXTERN_MEMORY == 3, "kinds of extern");
_Static_assert(WASM_VAR == 1 && WASMTIME_I64 == 1, "constants");

void wasm_byte_vec_delete(wasm_byte_vec_t *);

wasm_config_t *wasm_config_new(void);
void wasmtime_config_max_wasm_stack_set(wasm_config_t *, size_t);
void wasmtime_config_wasm_threads_set(wasm_config_t *, bool);
void wasmtime_config_wasm_tail_call_set(wasm_config_t *, bool);
void wasmtime_config_wasm_reference_types_set(wasm_config_t *, bool);
void wasmtime_config_wasm_function_references_set(wasm_config_t *, bool);
void wasmtime_config_wasm_gc_set(wasm_config_t *, bool);
void wasmtime_config_wasm_simd_set(wasm_config_t *, bool);
void wasmtime_config_wasm_relaxed_simd_set(wasm_config_t *, bool);
void wasmtime_config_wasm_bulk_memory_set(wasm_config_t *, bool);
void wasmtime_config_wasm_multi_value_set(wasm_config_t *, bool);
void wasmtime_config_wasm_multi_memory_set(wasm_config_t *, bool);
void wasmtime_config_wasm_memory64_set(wasm_config_t *, bool);
void wasmtime_config_cranelift_nan_canonicalization_set(wasm_config_t *, bool);
wasm_engine_t *wasm_engine_new_with_config(wasm_config_t *);
void wasm_engine_delete(wasm_engine_t *);

wasm_valtype_t *wasm_valtype_new(uint8_t);
uint8_t wasm_valtype_kind(const wasm_valtype_t *);
void wasm_valtype_vec_new_uninitialized(wasm_valtype_vec_t *, size_t);
wasm_functype_t *wasm_functype_new(wasm_valtype_vec_t *, wasm_valtype_vec_t *);
void wasm_functype_delete(wasm_functype_t *);
const wasm_valtype_vec_t *wasm_functype_params(const wasm_functype_t *);
const wasm_valtype_vec_t *wasm_functype_results(const wasm_functype_t *);
const wasm_valtype_t *wasm_globaltype_content(const wasm_globaltype_t *);
uint8_t wasm_globaltype_mutability(const wasm_globaltype_t *);
uint8_t wasm_externtype_kind(const wasm_externtype_t *);
const wasm_functype_t *wasm_externtype_as_functype_const(const wasm_externtype_t *);
const wasm_globaltype_t *wasm_externtype_as_globaltype_const(const wasm_externtype_t *);
const wasm_name_t *wasm_exporttype_name(const wasm_exporttype_t *);
const wasm_externtype_t *wasm_exporttype_type(const wasm_exporttype_t *);
void wasm_exporttype_vec_delete(wasm_exporttype_vec_t *);

void wasmtime_error_message(const wasmtime_error_t *, wasm_name_t *);
void wasmtime_error_delete(wasmtime_error_t *);
wasm_trap_t *wasmtime_trap_new(const char *, size_t);
bool wasmtime_trap_code(const wasm_trap_t *, uint8_t *);
void wasm_trap_message(const wasm_trap_t *, wasm_name_t *);
void wasm_trap_delete(wasm_trap_t *);

wasmtime_error_t *wasmtime_module_new(wasm_engine_t *, const uint8_t *, size_t, wasmtime_module_t **);
void wasmtime_module_exports(const wasmtime_module_t *, wasm_exporttype_vec_t *);
void wasmtime_module_delete(wasmtime_module_t *);

wasmtime_linker_t *wasmtime_linker_new(wasm_engine_t *);
void wasmtime_linker_delete(wasmtime_linker_t *);
wasmtime_error_t *wasmtime_linker_define_func_unchecked(wasmtime_linker_t *, const char *, size_t, const char *, size_t,
	const wasm_functype_t *, wasmtime_func_unchecked_callback_t, void *, void (*)(void *));
wasmtime_error_t *wasmtime_linker_instantiate_pre(
	const wasmtime_linker_t *, const wasmtime_module_t *, wasmtime_instance_pre_t **);
wasmtime_error_t *wasmtime_instance_pre_instantiate(
	const wasmtime_instance_pre_t *, wasmtime_context_t *, wasmtime_instance_t *, wasm_trap_t **);
void wasmtime_instance_pre_delete(wasmtime_instance_pre_t *);
bool wasmtime_instance_export_nth(
	wasmtime_context_t *, const wasmtime_instance_t *, size_t, char **, size_t *, wasmtime_extern_t *);

wasmtime_store_t *wasmtime_store_new(wasm_engine_t *, void *, void (*)(void *));
void wasmtime_store_delete(wasmtime_store_t *);
wasmtime_context_t *wasmtime_store_context(wasmtime_store_t *);
void *wasmtime_context_get_data(const wasmtime_context_t *);
wasmtime_context_t *wasmtime_caller_context(wasmtime_caller_t *);
wasmtime_error_t *wasmtime_func_call_unchecked(
	wasmtime_context_t *, const wasmtime_func_t *, wasmtime_val_raw_t *, size_t, wasm_trap_t **);
uint8_t *wasmtime_memory_data(const wasmtime_context_t *, const wasmtime_memory_t *);
size_t wasmtime_memory_data_size(const wasmtime_context_t *, const wasmtime_memory_t *);
void wasmtime_global_get(wasmtime_context_t *, const wasmtime_global_t *, wasmtime_val_t *);
wasmtime_error_t *wasmtime_global_set(wasmtime_context_t *, const wasmtime_global_t *, const wasmtime_val_t *);

#endif
