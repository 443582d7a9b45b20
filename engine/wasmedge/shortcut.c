//go:build wasmedge && cgo && linux

// Takes machine code's calls of the host past the library.
//
// Machine code calls an import through a table of functions in the library, to which
// a variable of the code's file points. The library's function for that copies the
// arguments to a stack of its own and back, makes two lists on the heap, and takes
// some 80 ns for it; all that it decides there is known when a module is loaded. So
// the variable is made to point to a copy of the table with one other entry. What
// goes wrong still goes through the library, because only it can unwind a guest.
//
// The table is no API. Its length and the form of a call belong to a number that the
// library gives to its machine code, and which it compares before it loads any. The
// short way is for the libraries below and their numbers only, which were read and
// run; with any other, calls keep to the library's way.

#define _GNU_SOURCE
#include "guest.h"
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

enum { CALL = 1, MOST = 38 }; // where the call of an import is, and the largest table

// known are the libraries whose vectors ran on the short way (README.md says when).
static const struct {
  const char *library;
  uint32_t number; // of its machine code
  size_t entries;  // of the table
} known[] = {{"0.14.1", 1, 23}, {"0.17.1", 2, 38}};

// entries is how many functions the table has, 0 if that is not known. A number of 0 is any.
static size_t entries(const char *library, uint32_t number) {
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (!strcmp(known[i].library, library) && (!number || known[i].number == number)) return known[i].entries;
  return 0;
}

int efvm_knows_table(const char *library, uint32_t number) { return entries(library, number) != 0; }

// Arguments and results are this far apart: machine code and the library hold a value
// of any type in one such slot, from its low end. The self-test compares what arrives.
union slot {
  uint64_t word;
  uint32_t half;
  unsigned char room[16];
};
_Static_assert(sizeof(union slot) == sizeof(((WasmEdge_Value *)0)->Value), "a slot is a value of the library");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low half comes first");

typedef void call_fn(uint32_t function, const union slot *args, union slot *results);

static void *table[MOST];
static void *const *original; // the library's, once it is known
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// call is what machine code calls with the index of an imported function.
static void call(uint32_t function, const union slot *args, union slot *results) {
  struct efvm_guest *g = (struct efvm_guest *)efvm_current;
  if (function < g->n_imports) {
    const struct efvm_host *h = g->imports[function];
    uint64_t words[h->params + 1];
    words[0] = 0;
    for (uint32_t i = 0; i < h->params; i++) words[i] = h->halves >> i & 1 ? args[i].half : args[i].word;
    if (!efvm_host(g, h, words)) {
      if (h->results) results[0].word = words[0];
      return;
    }
    g->failed = 1; // the host function is not called again
  }
  ((call_fn *)original[CALL])(function, args, results);
}

// efvm_shortcut gives the short way to the machine code at path, which is loaded, if
// its table is known.
void efvm_shortcut(const char *path) {
  void *file = dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
  if (!file) return;
  const uint32_t *version = dlsym(file, "version");
  void *const **at = dlsym(file, "intrinsics");
  size_t n = version && *version ? entries(WasmEdge_VersionGet(), *version) : 0;
  pthread_mutex_lock(&lock);
  int known = n && at && *at;
  if (known && !original) {
    memcpy(table, *at, n * sizeof *table);
    table[CALL] = (void *)call;
    original = *at;
  }
  // Code that runs already may read either: both ways give the same.
  if (known && *at == original) __atomic_store_n(at, table, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&lock);
  dlclose(file); // the library holds it
}
