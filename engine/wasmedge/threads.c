//go:build wasmedge && cgo && linux

// What belongs to a thread: the library's thread-local state, and the end of the
// native stack.

#define _GNU_SOURCE
#include "guest.h"
#include <link.h>
#include <pthread.h>
#include <sys/resource.h>

// Below 0.15 the library's thread-local state is that of one call at a time, so it is
// saved and restored around each that another one waits for. The variables have no
// names outside; what can be had is the block that holds them.
struct block {
  uintptr_t code; // an address in the library
  void *data;
  size_t size;
  int found, main_program;
};

static int find_block(struct dl_phdr_info *info, size_t size, void *arg) {
  struct block *b = arg;
  int here = 0;
  size_t bytes = 0;
  (void)size;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *h = &info->dlpi_phdr[i];
    uintptr_t low = info->dlpi_addr + h->p_vaddr;
    if (h->p_type == PT_LOAD && b->code >= low && b->code < low + h->p_memsz) here = 1;
    if (h->p_type == PT_TLS) bytes = h->p_memsz;
  }
  if (!here) return 0;
  b->found = 1;
  b->main_program = !info->dlpi_name || !*info->dlpi_name;
  b->size = bytes;
  b->data = info->dlpi_tls_data;
  return 1;
}

static struct block library_block(void) {
  struct block b = {.code = (uintptr_t)&WasmEdge_VersionGet};
  dl_iterate_phdr(find_block, &b);
  return b;
}

// A block of another order of size is not the one that was studied.
enum { SMALLEST = 64, LARGEST = 4096 };

static size_t block_size;

// efvm_thread_local_check returns why the block cannot be saved, NULL if it can.
const char *efvm_thread_local_check(void) {
#if WASMEDGE_VERSION_MINOR < 15
  struct block b = library_block();
  if (!b.found) return "the library's thread-local state was not found";
  if (b.main_program) return "the library is linked into the program, where its thread-local state cannot be told apart";
  if (b.size < SMALLEST || b.size > LARGEST) return "the library's thread-local state has an unexpected size";
  block_size = b.size;
#endif
  return NULL;
}

size_t efvm_thread_local_size(void) { return block_size; }

static _Thread_local void *block_data;

void *efvm_thread_local(void) {
  if (!block_data) block_data = library_block().data;
  return block_data;
}

static _Thread_local uintptr_t stack_low;

uintptr_t efvm_stack_low(void) {
  if (!stack_low) {
    pthread_attr_t a;
    void *low = NULL;
    size_t size, guard = 0;
    if (pthread_getattr_np(pthread_self(), &a) == 0) {
      pthread_attr_getstack(&a, &low, &size);
      pthread_attr_getguardsize(&a, &guard);
      pthread_attr_destroy(&a);
    }
    // Some versions of libc count the guard as part of the stack.
    stack_low = low ? (uintptr_t)low + guard : UINTPTR_MAX;
  }
  return stack_low;
}

uint64_t efvm_stack_left(void) {
  uintptr_t here = (uintptr_t)__builtin_frame_address(0), low = efvm_stack_low();
  return here > low ? here - low : 0;
}

// A guest uses up to 1024 frames of the size that frames.go allows. All of it must
// be there when the guest starts: then no guest can come to the stack's end. What
// is left pays for the library and the way into Go.
#define ROOM ((uint64_t)(1024 * (16 << 10) + (2 << 20)))

// Stacks are address space until they are used.
#define STACK ((uint64_t)64 << 20)

// larger_stacks asks for stacks that hold some nested guests. It comes before the
// Go runtime makes threads, and before it looks at the first one's stack, which
// grows as far as the limit says. Where it is refused, guests run on other threads.
__attribute__((constructor)) static void larger_stacks(void) {
  pthread_attr_t a;
  size_t size = 0;
  struct rlimit l;
  pthread_attr_init(&a);
  pthread_attr_getstacksize(&a, &size);
  if (size < STACK && pthread_attr_setstacksize(&a, STACK) == 0) pthread_setattr_default_np(&a);
  pthread_attr_destroy(&a);
  if (getrlimit(RLIMIT_STACK, &l) == 0 && l.rlim_cur < STACK) {
    l.rlim_cur = l.rlim_max < STACK ? l.rlim_max : STACK;
    setrlimit(RLIMIT_STACK, &l);
  }
}

int efvm_stack_has_room(void) { return efvm_stack_left() >= ROOM; }
