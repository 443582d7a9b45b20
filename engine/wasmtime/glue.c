//go:build wasmtime && cgo && linux && (amd64 || arm64)

#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "_cgo_export.h"
#include "glue.h"

// wt_thread_stack is what threads of this process get: Go asks in the same way.
size_t wt_thread_stack(void) {
	pthread_attr_t attr;
	size_t size = 0;
	pthread_attr_init(&attr);
	pthread_attr_getstacksize(&attr, &size);
	pthread_attr_destroy(&attr);
	return size;
}

// stack_left is what is left of this thread's stack, 0 if that cannot be known.
static size_t stack_left(void) {
	static __thread uintptr_t low;
	if (low == 0) {
		pthread_attr_t attr;
		void *addr = NULL;
		size_t size = 0;
		if (pthread_getattr_np(pthread_self(), &attr) != 0)
			return 0;
		pthread_attr_getstack(&attr, &addr, &size);
		pthread_attr_destroy(&attr);
		low = (uintptr_t)addr;
	}
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	return low != 0 && here > low ? here - low : 0;
}

wasm_engine_t *wt_engine_new(size_t max_stack) {
	wasm_config_t *c = wasm_config_new();
	wasmtime_config_max_wasm_stack_set(c, max_stack);
	// What the reference accepts at this point.
	wasmtime_config_wasm_bulk_memory_set(c, true);
	wasmtime_config_wasm_reference_types_set(c, true);
	wasmtime_config_wasm_multi_value_set(c, false);
	wasmtime_config_wasm_relaxed_simd_set(c, false);
	wasmtime_config_wasm_simd_set(c, false);
	wasmtime_config_wasm_threads_set(c, false);
	wasmtime_config_wasm_tail_call_set(c, false);
	wasmtime_config_wasm_function_references_set(c, false);
	wasmtime_config_wasm_gc_set(c, false);
	wasmtime_config_wasm_multi_memory_set(c, false);
	wasmtime_config_wasm_memory64_set(c, false);
	// The instrumentation pass does that, for all engines alike.
	wasmtime_config_cranelift_nan_canonicalization_set(c, false);
	return wasm_engine_new_with_config(c);
}

// publish makes the guest's counter and memory visible to Go.
static void publish(wt_instance *in) {
	if (in->has_counter) {
		wasmtime_val_t v;
		wasmtime_global_get(in->ctx, &in->counter, &v);
		in->count = in->written = v.of.i64;
	}
	if (in->has_memory) {
		in->base = wasmtime_memory_data(in->ctx, &in->memory);
		in->size = wasmtime_memory_data_size(in->ctx, &in->memory);
	}
}

// commit hands the counter back to the guest.
static void commit(wt_instance *in) {
	if (!in->has_counter || in->count == in->written)
		return;
	wasmtime_val_t v = {.kind = WASMTIME_I64};
	v.of.i64 = in->count;
	// It was checked when the module was compiled that this cannot fail.
	wasmtime_error_t *err = wasmtime_global_set(in->ctx, &in->counter, &v);
	if (err != NULL)
		abort();
	in->written = in->count;
}

// trampoline is every host function; env tells which.
static wasm_trap_t *trampoline(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw, size_t n) {
	wt_instance *in = wasmtime_context_get_data(wasmtime_caller_context(caller));
	uint64_t *words = (uint64_t *)raw;
	publish(in);
	for (size_t i = 1; i < n; i++) // wasmtime has a slot of two words for each value
		words[i] = words[2 * i];
	bool failed = edgefvmWasmtimeHost(in->handle, (uintptr_t)env, words, n);
	commit(in);
	if (!failed)
		return NULL;
	in->unwinding = true;
	return wasmtime_trap_new("host", 4);
}

static wasm_valtype_vec_t types(const uint8_t *kinds, size_t n) {
	wasm_valtype_vec_t v;
	wasm_valtype_vec_new_uninitialized(&v, n);
	for (size_t i = 0; i < n; i++)
		v.data[i] = wasm_valtype_new(kinds[i]);
	return v;
}

wasmtime_error_t *wt_define(wasmtime_linker_t *l, const char *module, size_t module_len, const char *name, size_t name_len,
	const uint8_t *params, size_t nparams, const uint8_t *results, size_t nresults, uintptr_t index) {
	wasm_valtype_vec_t p = types(params, nparams), r = types(results, nresults);
	wasm_functype_t *t = wasm_functype_new(&p, &r);
	wasmtime_error_t *err = wasmtime_linker_define_func_unchecked(
		l, module, module_len, name, name_len, t, trampoline, (void *)index, NULL);
	wasm_functype_delete(t);
	return err;
}

static bool has_references(const wasm_valtype_vec_t *v) {
	for (size_t i = 0; i < v->size; i++)
		if (wasm_valtype_kind(v->data[i]) > WASM_F64)
			return true;
	return false;
}

void wt_export_at(const wasm_exporttype_vec_t *exports, size_t i, wt_export *out) {
	const wasm_name_t *name = wasm_exporttype_name(exports->data[i]);
	const wasm_externtype_t *type = wasm_exporttype_type(exports->data[i]);
	memset(out, 0, sizeof *out);
	out->name = name->data;
	out->name_len = name->size;
	out->kind = wasm_externtype_kind(type);
	if (out->kind == WASM_EXTERN_FUNC) {
		const wasm_functype_t *f = wasm_externtype_as_functype_const(type);
		const wasm_valtype_vec_t *p = wasm_functype_params(f), *r = wasm_functype_results(f);
		out->params = p->size;
		out->results = r->size;
		out->references = has_references(p) || has_references(r);
	} else if (out->kind == WASM_EXTERN_GLOBAL) {
		const wasm_globaltype_t *g = wasm_externtype_as_globaltype_const(type);
		out->mutable_i64 =
			wasm_globaltype_mutability(g) == WASM_VAR && wasm_valtype_kind(wasm_globaltype_content(g)) == WASM_I64;
	}
}

static char *text(wasm_byte_vec_t *message) {
	char *s = malloc(message->size + 1);
	if (s != NULL) {
		memcpy(s, message->data, message->size);
		s[message->size] = 0;
	}
	wasm_byte_vec_delete(message);
	return s;
}

char *wt_error_text(wasmtime_error_t *err) {
	wasm_byte_vec_t message;
	wasmtime_error_message(err, &message);
	wasmtime_error_delete(err);
	return text(&message);
}

// settle turns what wasmtime returned into an outcome, and frees it.
static void settle(wasmtime_error_t *err, wasm_trap_t *trap, bool unwinding, wt_outcome *out) {
	memset(out, 0, sizeof *out);
	if (err == NULL && trap == NULL)
		return;
	if (unwinding)
		out->status = WT_UNWIND;
	else if (trap != NULL && wasmtime_trap_code(trap, &out->code))
		out->status = WT_TRAP;
	else
		out->status = WT_ERROR;
	if (out->status == WT_ERROR && trap != NULL) {
		wasm_byte_vec_t message;
		wasm_trap_message(trap, &message);
		out->text = text(&message);
	} else if (out->status == WT_ERROR) {
		out->text = wt_error_text(err);
		err = NULL;
	}
	if (trap != NULL)
		wasm_trap_delete(trap);
	if (err != NULL)
		wasmtime_error_delete(err);
}

void wt_delete(wt_instance *in) {
	wasmtime_store_delete(in->store);
	free(in);
}

wt_instance *wt_instantiate(wasm_engine_t *engine, const wasmtime_instance_pre_t *pre, uintptr_t handle, int64_t memory,
	int64_t counter, wt_outcome *out) {
	wt_instance *in = calloc(1, sizeof *in);
	char *name;
	size_t len;
	wasmtime_extern_t item;
	wasm_trap_t *trap = NULL;
	if (in == NULL)
		abort();
	in->handle = handle;
	in->func_index = -1;
	in->store = wasmtime_store_new(engine, in, NULL);
	in->ctx = wasmtime_store_context(in->store);
	wasmtime_error_t *err =
		wasmtime_instance_pre_instantiate(pre, in->ctx, &in->inst, &trap);
	settle(err, trap, false, out);
	if (out->status != WT_OK) {
		wt_delete(in);
		return NULL;
	}
	if (memory >= 0 && wasmtime_instance_export_nth(in->ctx, &in->inst, memory, &name, &len, &item)) {
		in->memory = item.of.memory;
		in->has_memory = true;
	}
	if (counter >= 0 && wasmtime_instance_export_nth(in->ctx, &in->inst, counter, &name, &len, &item)) {
		in->counter = item.of.global;
		in->has_counter = true;
	}
	publish(in);
	return in;
}

wt_outcome wt_call(wt_instance *in, size_t func_index, uint64_t *words, size_t params, size_t results, size_t need) {
	wt_outcome out = {.status = WT_SHORT};
	if (stack_left() < need)
		return out;
	if (in->func_index != (int64_t)func_index) {
		char *name;
		size_t len;
		wasmtime_extern_t item;
		if (!wasmtime_instance_export_nth(in->ctx, &in->inst, func_index, &name, &len, &item) ||
			item.kind != WASMTIME_EXTERN_FUNC)
			abort(); // the module was asked when it was compiled
		in->func = item.of.func;
		in->func_index = func_index;
	}
	size_t n = params > results ? params : results;
	wasmtime_val_raw_t raw[n + 1]; // a thousand at most
	for (size_t i = 0; i < params; i++)
		raw[i].i64 = words[i];
	wasmtime_func_t func = in->func; // a nested call may put another one there
	wasm_trap_t *trap = NULL;
	commit(in);
	in->unwinding = false;
	wasmtime_error_t *err = wasmtime_func_call_unchecked(in->ctx, &func, raw, n, &trap);
	settle(err, trap, in->unwinding, &out);
	in->unwinding = false;
	publish(in);
	if (out.status == WT_OK)
		for (size_t i = 0; i < results; i++)
			words[i] = raw[i].i64;
	return out;
}
