//go:build wasmedge && cgo && linux

// Keeps the library from taking the process's handlers for memory faults.
//
// Machine code has no bounds checks: a load or store beyond the guest's memory
// hits a region without access, and the library's handler turns the fault into
// an error of the guest. But the library installs its handlers anew for each
// outermost call, without SA_ONSTACK, and leaves SIG_DFL behind. The Go runtime
// needs its own handlers at all times, on all threads.
//
// So this file defines sigaction and signal. The dynamic linker binds the
// library to the program's definitions. What the library asks for is remembered
// and not done. One handler stands for both: it hands a guest's fault to the
// library, and everything else to whoever had the signal before.

#define _GNU_SOURCE
#include "guest.h"
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

_Thread_local int efvm_inside;
_Thread_local const struct efvm_guest *efvm_current;

typedef int sigaction_fn(int, const struct sigaction *, struct sigaction *);
typedef void handler_fn(int, siginfo_t *, void *);

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE};

static int is_fault(int sig) { return sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE; }

// Written before the second thread exists (libc's), at New (installed), and by
// the first run of machine code (library): after that they do not change.
static sigaction_fn *libc_sigaction;
static int installed;
static handler_fn *volatile library;
static struct sigaction others[NSIG]; // whose signals these are besides

static int next_sigaction(int sig, const struct sigaction *act, struct sigaction *old) {
  // The Go runtime comes here first, when it starts.
  if (!libc_sigaction) libc_sigaction = (sigaction_fn *)dlsym(RTLD_NEXT, "sigaction");
  return libc_sigaction(sig, act, old);
}

static void say(const char *text) { (void)!write(STDERR_FILENO, text, strlen(text)); }

// A memory that starts at base has 4 GiB of reserved addresses below it, and 8
// GiB from it on. No load or store of a guest goes beyond them.
static int in_memory(const struct efvm_guest *g, uintptr_t at) {
  uintptr_t base = g ? (uintptr_t)g->base : 0;
  return base && at >= base - (4ULL << 30) && at < base + (8ULL << 30);
}

static uintptr_t stack_pointer(const ucontext_t *uc) {
#if defined(__x86_64__)
  return (uintptr_t)uc->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
  return (uintptr_t)uc->uc_mcontext.sp;
#else
#error "unknown machine"
#endif
}

// past_stack says whether a fault at an address is the stack's end. A frame can be
// large, and touch an address far below first. A guest's memory may lie next to
// the stack, so the address alone does not decide: the stack must be used up.
static int past_stack(uintptr_t at, uintptr_t sp) {
  uintptr_t low = efvm_stack_low();
  return sp < low + (64 << 10) && at < low + 4096 && at >= low - (64 << 20);
}

static void pass_on(int sig, siginfo_t *info, void *context) {
  const struct sigaction *to = &others[sig];
  if (to->sa_flags & SA_SIGINFO) {
    to->sa_sigaction(sig, info, context);
  } else if (to->sa_handler == SIG_DFL) {
    next_sigaction(sig, to, NULL); // the instruction faults again
  } else if (to->sa_handler != SIG_IGN) {
    to->sa_handler(sig);
  }
}

static void on_fault(int sig, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  uintptr_t at = (uintptr_t)info->si_addr;
  if (!efvm_inside || !library) {
    pass_on(sig, info, context);
    return;
  }
  int overflow = past_stack(at, stack_pointer(uc)) && !(efvm_without & EFVM_CURE_OVERFLOW);
  if (sig != SIGFPE && !overflow && (in_memory(efvm_current, at) || efvm_without & EFVM_CURE_OVERFLOW)) {
    // The library leaves by longjmp, which does not undo the mask that the
    // kernel set for this handler.
    if (!(efvm_without & EFVM_CURE_MASK)) pthread_sigmask(SIG_SETMASK, &uc->uc_sigmask, NULL);
    library(sig, info, context);
    return;
  }
  // To call this a trap would make the size of a stack decide a result.
  say(overflow ? "wasmedge: the native stack overflowed in a guest; this is not a trap, the process ends\n"
               : "wasmedge: a fault in native code outside of the guest's memory; this is not a trap, the process ends\n");
  efvm_inside = 0;
  pass_on(sig, info, context); // the Go runtime prints where it was, and exits
  signal(SIGABRT, SIG_DFL);
  abort();
}

static void install(int sig, const struct sigaction *like) {
  struct sigaction a;
  memset(&a, 0, sizeof a);
  a.sa_sigaction = on_fault;
  // Another engine in the process may leave its handler by a jump, and relies on
  // SA_NODEFER for the mask.
  a.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | (like->sa_flags & SA_NODEFER);
  a.sa_mask = like->sa_mask;
  next_sigaction(sig, &a, NULL);
}

__attribute__((visibility("default"))) int sigaction(int sig, const struct sigaction *act, struct sigaction *old) {
  if (!is_fault(sig) || efvm_without & EFVM_CURE_HANDLERS) return next_sigaction(sig, act, old);
  if (efvm_inside) {
    if (old) memset(old, 0, sizeof *old);
    if (act && act->sa_flags & SA_SIGINFO) library = act->sa_sigaction;
    return 0;
  }
  if (!installed) return next_sigaction(sig, act, old);
  struct sigaction before = others[sig];
  if (act) {
    others[sig] = *act;
    if (act->sa_handler == SIG_DFL || act->sa_handler == SIG_IGN) {
      int err = next_sigaction(sig, act, NULL);
      if (err) return err;
    } else {
      install(sig, act);
    }
  }
  if (old) *old = before;
  return 0;
}

__attribute__((visibility("default"))) sighandler_t signal(int sig, sighandler_t handler) {
  struct sigaction a, before;
  if (is_fault(sig) && efvm_inside && !(efvm_without & EFVM_CURE_HANDLERS)) return SIG_DFL;
  memset(&a, 0, sizeof a);
  a.sa_handler = handler;
  a.sa_flags = SA_RESTART;
  sigemptyset(&a.sa_mask);
  return sigaction(sig, &a, &before) ? SIG_ERR : before.sa_handler;
}

// efvm_guard installs the handler, once, over those of the Go runtime. It
// returns why it cannot, or NULL.
const char *efvm_guard(void) {
  if (installed || efvm_without & EFVM_CURE_HANDLERS) return NULL;
  if (dlsym(RTLD_DEFAULT, "sigaction") != (void *)sigaction || dlsym(RTLD_DEFAULT, "signal") != (void *)signal)
    return "the library does not see the program's sigaction; build it as an ordinary program";
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    next_sigaction(faults[i], NULL, &others[faults[i]]);
    install(faults[i], &others[faults[i]]);
  }
  installed = 1;
  return NULL;
}

// efvm_guarded says whether the handler still stands, and knows the library's.
int efvm_guarded(void) {
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    struct sigaction a;
    next_sigaction(faults[i], NULL, &a);
    if (a.sa_sigaction != on_fault || !(a.sa_flags & SA_ONSTACK)) return 0;
  }
  return library != NULL;
}

// efvm_blocked is the set of signals that this thread does not get.
uint64_t efvm_blocked(void) {
  sigset_t s;
  uint64_t bits = 0;
  pthread_sigmask(SIG_BLOCK, NULL, &s);
  for (int sig = 1; sig < 64; sig++)
    if (sigismember(&s, sig)) bits |= 1ULL << sig;
  return bits;
}
