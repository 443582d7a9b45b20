//go:build wasmedge && cgo && linux

// Keeps the library from taking the process's handlers for memory faults.
//
// A guest's access beyond its memory is a fault of the processor, which the library's
// handler turns into an error of the guest. The library installs that handler for
// the time of a call and removes it, and the Go runtime needs its own at all times,
// on all threads.
//
// So this file defines sigaction and signal. The dynamic linker binds the
// library to the program's definitions. What the library asks for is remembered
// and not done. One handler stands for both: it hands a guest's fault to the
// library, and everything else to whoever had the signal before.
//
// Any thread may call sigaction at any time, inside a signal handler too, while the
// handler here runs on another. So there is no lock and no heap: what is shared is an
// atomic pointer to an action that never changes (see kept). signals_test.go runs
// this file under ThreadSanitizer.

#define _GNU_SOURCE
#include "guest.h"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

_Thread_local volatile int efvm_inside;
_Thread_local const struct efvm_guest *volatile efvm_current;

typedef int sigaction_fn(int, const struct sigaction *, struct sigaction *);
typedef void handler_fn(int, siginfo_t *, void *);
typedef struct sigaction action;

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE};
enum { FAULTS = sizeof faults / sizeof *faults };

// fault is the place of a signal in faults, -1 for others.
static int fault(int sig) {
  for (int i = 0; i < FAULTS; i++)
    if (faults[i] == sig) return i;
  return -1;
}

static _Atomic(sigaction_fn *) libc_sigaction;
static _Atomic(handler_fn *) library;          // what the library asked for, NULL before it ran machine code
static _Atomic(const action *) others[FAULTS]; // whose signals these are besides; NULL until efvm_guard

static int next_sigaction(int sig, const action *act, action *old) {
  // The Go runtime comes here first, when it starts.
  sigaction_fn *next = atomic_load_explicit(&libc_sigaction, memory_order_acquire);
  if (!next) {
    next = (sigaction_fn *)dlsym(RTLD_NEXT, "sigaction");
    atomic_store_explicit(&libc_sigaction, next, memory_order_release);
  }
  return next(sig, act, old);
}

// kept is a copy of an action that stays as it is until the process ends, the same
// one for the same action: a process has few. NULL if there are too many, but never for
// the default, which a process sets to die.
static const action *kept(const action *a) {
  static const action plain; // SIG_DFL
  enum { FREE, BUSY, FULL, MOST = 64 };
  static struct {
    atomic_int state;
    action a;
  } all[MOST];
  for (int i = 0; i < MOST; i++) {
    int state = FREE;
    if (atomic_compare_exchange_strong(&all[i].state, &state, BUSY)) {
      all[i].a = *a;
      atomic_store(&all[i].state, FULL);
      return &all[i].a;
    }
    // One that is being written is passed over: at worst an action is kept twice.
    if (state == FULL && all[i].a.sa_sigaction == a->sa_sigaction && all[i].a.sa_flags == a->sa_flags &&
        !memcmp(&all[i].a.sa_mask, &a->sa_mask, sizeof a->sa_mask))
      return &all[i].a;
  }
  return a->sa_handler == SIG_DFL ? &plain : NULL;
}

static void say(const char *text) { (void)!write(STDERR_FILENO, text, strlen(text)); }

static uintptr_t stack_pointer(const ucontext_t *uc) {
#if defined(__x86_64__)
  return (uintptr_t)uc->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
  return (uintptr_t)uc->uc_mcontext.sp;
#else
#error "unknown machine"
#endif
}

// efvm_judge says whose a fault is that native code met at an address, with a guest's
// memory at base (0: there is none), a stack pointer, and the low end of the stack.
//
// A memory has 4 GiB of reserved addresses below it, and 8 GiB from base on. No load
// or store of a guest goes beyond them. They may lie next to the stack, so when that
// is used up the address does not decide.
enum efvm_fault efvm_judge(int sig, uintptr_t at, uintptr_t base, uintptr_t sp, uintptr_t low) {
  if (sp < low + (64 << 10) && at < low + 4096 && at >= low - (64 << 20)) return EFVM_FAULT_STACK;
  if (sig != SIGFPE && base && at >= base - (4ULL << 30) && at < base + (8ULL << 30)) return EFVM_FAULT_GUEST;
  return EFVM_FAULT_NATIVE;
}

static void pass_on(int sig, siginfo_t *info, void *context) {
  const action *to = atomic_load(&others[fault(sig)]);
  if (to->sa_handler == SIG_DFL) {
    next_sigaction(sig, to, NULL); // the instruction faults again
  } else if (to->sa_flags & SA_SIGINFO) {
    to->sa_sigaction(sig, info, context);
  } else if (to->sa_handler != SIG_IGN) {
    to->sa_handler(sig);
  }
}

static void on_fault(int sig, siginfo_t *info, void *context) {
  const ucontext_t *uc = context;
  handler_fn *to_library = atomic_load(&library);
  if (!efvm_inside || !to_library) {
    pass_on(sig, info, context);
    return;
  }
  const struct efvm_guest *g = efvm_current;
  uintptr_t base = g ? (uintptr_t)g->base : 0;
  enum efvm_fault whose = efvm_judge(sig, (uintptr_t)info->si_addr, base, stack_pointer(uc), efvm_stack_low());
  if (whose == EFVM_FAULT_GUEST) {
    // The library does not come back from here, so the mask that the kernel set for
    // this handler is undone first.
    pthread_sigmask(SIG_SETMASK, &uc->uc_sigmask, NULL);
    to_library(sig, info, context);
    return;
  }
  // To call this a trap would make the size of a stack decide a result.
  say(whose == EFVM_FAULT_STACK ? "wasmedge: the native stack is used up; this is not a trap, the process ends\n"
                                : "wasmedge: a fault in native code outside of the guest's memory; this is not a trap, the process ends\n");
  efvm_inside = 0;
  pass_on(sig, info, context); // the Go runtime prints where it was, and exits
  signal(SIGABRT, SIG_DFL);
  abort();
}

// with_flags is on_fault's action, with what others rely on: another engine in the
// process may leave its handler by a jump, and counts on SA_NODEFER for the mask.
static action with_flags(const action *like) {
  action a;
  memset(&a, 0, sizeof a);
  a.sa_sigaction = on_fault;
  a.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | (like->sa_flags & SA_NODEFER);
  a.sa_mask = like->sa_mask;
  return a;
}

// settle tells the kernel of what others have for a signal, until that is the latest.
static int settle(int sig, _Atomic(const action *) *to) {
  for (;;) {
    const action *now = atomic_load(to);
    int err;
    if (now->sa_handler == SIG_DFL || now->sa_handler == SIG_IGN) {
      err = next_sigaction(sig, now, NULL);
    } else {
      action a = with_flags(now);
      err = next_sigaction(sig, &a, NULL);
    }
    if (err || atomic_load(to) == now) return err;
  }
}

__attribute__((visibility("default"))) int sigaction(int sig, const action *act, action *old) {
  int i = fault(sig);
  if (i < 0) return next_sigaction(sig, act, old);
  if (efvm_inside) {
    if (old) memset(old, 0, sizeof *old);
    if (act && act->sa_flags & SA_SIGINFO) atomic_store(&library, act->sa_sigaction);
    return 0;
  }
  const action *before = atomic_load(&others[i]);
  if (!before) return next_sigaction(sig, act, old);
  int err = 0;
  if (act) {
    const action *a = kept(act);
    if (!a) {
      errno = EAGAIN;
      return -1;
    }
    before = atomic_exchange(&others[i], a);
    err = settle(sig, &others[i]);
  }
  if (old) *old = *before;
  return err;
}

__attribute__((visibility("default"))) sighandler_t signal(int sig, sighandler_t handler) {
  action a, before;
  if (fault(sig) >= 0 && efvm_inside) return SIG_DFL;
  memset(&a, 0, sizeof a);
  a.sa_handler = handler;
  a.sa_flags = SA_RESTART;
  sigemptyset(&a.sa_mask);
  return sigaction(sig, &a, &before) ? SIG_ERR : before.sa_handler;
}

// guard takes over one signal. An action that another thread sets meanwhile is not lost.
static int guard(int sig, _Atomic(const action *) *to) {
  action was, mine;
  if (next_sigaction(sig, NULL, &was)) return -1;
  const action *first = kept(&was), *second;
  if (!first) return -1;
  mine = with_flags(first);
  atomic_store(to, first);
  if (next_sigaction(sig, &mine, &was)) return -1;
  if (!(second = kept(&was))) return -1;
  if (was.sa_sigaction != on_fault) atomic_compare_exchange_strong(to, &first, second);
  return settle(sig, to);
}

// efvm_guard installs the handler, once, over those of the Go runtime. It
// returns why it cannot, or NULL.
const char *efvm_guard(void) {
  if (dlsym(RTLD_DEFAULT, "sigaction") != (void *)sigaction || dlsym(RTLD_DEFAULT, "signal") != (void *)signal)
    return "the library does not see the program's sigaction; build it as an ordinary program";
  for (int i = 0; i < FAULTS; i++)
    if (!atomic_load(&others[i]) && guard(faults[i], &others[i])) return "the handlers of memory faults cannot be set";
  return NULL;
}

// efvm_guarded says whether the handler still stands, and knows the library's.
int efvm_guarded(void) {
  for (int i = 0; i < FAULTS; i++) {
    action a;
    next_sigaction(faults[i], NULL, &a);
    if (a.sa_sigaction != on_fault || !(a.sa_flags & SA_ONSTACK)) return 0;
  }
  return atomic_load(&library) != NULL;
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
