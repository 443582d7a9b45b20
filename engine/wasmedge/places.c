//go:build wasmedge && cgo && linux

// Looks into objects of the library where a call of it costs more than what it
// answers: a guest's counter goes in and out of Go with each call of the host. The
// objects are no API, so each place is found by experiment, as that of the page
// count is (reset.c); where none is found, the library is asked.

#include "guest.h"
#include <pthread.h>
#include <string.h>

// efvm_memory_changed says whether a guest's memory may have another size than noted,
// or another address: it never moves without growing.
int efvm_memory_changed(const struct efvm_guest *g) {
  static _Thread_local size_t at; // no lock for each call
  uint32_t pages;
  if (!at && !(at = efvm_page_count())) return 1;
  memcpy(&pages, (const char *)g->memory + at, sizeof pages);
  return !g->base || g->bytes != (uint64_t)pages << 16;
}

// number is where a global instance of type i64 keeps its number, as an offset; 0 if
// that is not known. NUMBER_WITHIN is how much of the object is looked at: it has a
// type and a value of 16 bytes, in every version.
static size_t number;
enum { NUMBER_WITHIN = 32 };

// only is the offset of the only place with a value, 0 if there is not exactly one.
static size_t only(const void *object, int64_t value) {
  size_t found = 0;
  int n = 0;
  for (size_t at = 0; at < NUMBER_WITHIN; at += sizeof value)
    if (!memcmp((const char *)object + at, &value, sizeof value)) found = at, n++;
  return n == 1 ? found : 0;
}

static void find_number(void) {
  static const int64_t values[] = {0x5ca1ab1e0ddba11, -0x7e57ab1e7e57ab1e, 0x0123456789abcdef};
  WasmEdge_GlobalTypeContext *type = WasmEdge_GlobalTypeCreate(WasmEdge_ValTypeGenI64(), WasmEdge_Mutability_Var);
  WasmEdge_GlobalInstanceContext *g = WasmEdge_GlobalInstanceCreate(type, WasmEdge_ValueGenI64(values[0]));
  WasmEdge_GlobalTypeDelete(type);
  if (!g) return;
  size_t at = only(g, values[0]);
  WasmEdge_GlobalInstanceSetValue(g, WasmEdge_ValueGenI64(values[1]));
  if (at && only(g, values[1]) == at) {
    memcpy((char *)g + at, &values[2], sizeof values[2]);
    if (WasmEdge_ValueGetI64(WasmEdge_GlobalInstanceGetValue(g)) == values[2]) number = at;
  }
  WasmEdge_GlobalInstanceDelete(g);
}

// efvm_knows_counters says whether the place is known.
int efvm_knows_counters(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, find_number);
  return number != 0;
}

// efvm_number_in is where an i64 is in a global instance, NULL if that is unknown.
int64_t *efvm_number_in(WasmEdge_GlobalInstanceContext *global) {
  return efvm_knows_counters() ? (int64_t *)((char *)global + number) : NULL;
}
