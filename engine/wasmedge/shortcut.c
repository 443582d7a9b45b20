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
// The table is no API. Its length belongs to a number that the library gives to its
// machine code, and which it compares before it loads any: files with other numbers
// than these keep to the library's way.

#define _GNU_SOURCE
#include "guest.h"
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

enum { CALL = 1, MOST = 38 }; // where the call of an import is, in all versions

// entries is how many functions the table has.
static size_t entries(uint32_t version) {
  switch (version) {
  case 1: // 0.14
    return 23;
  case 2: // 0.15 to 0.17
    return 38;
  }
  return 0;
}

// Arguments and results are this far apart.
union slot {
  uint64_t word;
  uint32_t half;
  unsigned char room[16];
};

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
  if (efvm_without & EFVM_SHORTCUT) return;
  void *file = dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
  if (!file) return;
  const uint32_t *version = dlsym(file, "version");
  void *const **at = dlsym(file, "intrinsics");
  size_t n = version ? entries(*version) : 0;
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
