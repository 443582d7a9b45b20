// Handlers are set on some threads while others fault, in Go's stead and in a guest's:
// signals.c under ThreadSanitizer, without the library. signals_test.go builds and runs it.

#define _GNU_SOURCE
#include "guest.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ROUNDS = 3000, PAGE = 4096 };

uintptr_t efvm_stack_low(void) { return 0; } // of threads.c

static __thread char *volatile page; // this thread's, which faults
static __thread sigjmp_buf back;
static __thread int calls;

static void check(int ok, const char *what) {
  if (ok) return;
  fprintf(stderr, "sigrace: %s\n", what);
  exit(3);
}

// The handlers that others set make the page accessible, in two forms.
static void with_info(int sig, siginfo_t *info, void *context) {
  (void)sig, (void)context;
  check(info->si_addr == page, "the fault is at another address");
  calls++;
  mprotect(page, PAGE, PROT_READ | PROT_WRITE);
}

static void without_info(int sig) {
  (void)sig;
  calls++;
  mprotect(page, PAGE, PROT_READ | PROT_WRITE);
}

// The library's leaves by a jump.
static void library(int sig, siginfo_t *info, void *context) {
  (void)sig, (void)info, (void)context;
  siglongjmp(back, 1);
}

static void *set_handlers(void *arg) {
  for (int i = 0; i < ROUNDS; i++) {
    struct sigaction a, old;
    memset(&a, 0, sizeof a);
    a.sa_flags = SA_RESTART | (i & 1 ? SA_SIGINFO : 0) | (i & 4 ? SA_NODEFER : 0);
    if (i & 1)
      a.sa_sigaction = with_info;
    else
      a.sa_handler = without_info;
    if (i & 2) sigaddset(&a.sa_mask, SIGUSR1);
    check(sigaction(SIGSEGV, &a, &old) == 0, "a handler is refused");
    check(old.sa_flags & SA_SIGINFO ? old.sa_sigaction == with_info : old.sa_handler == without_info, "an action is torn");
  }
  return arg;
}

static void *fault_outside(void *arg) {
  page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < ROUNDS; i++) {
    mprotect(page, PAGE, PROT_NONE);
    *page = (char)i;
    check(calls == i + 1, "a fault was not passed on once");
  }
  return arg;
}

static void *fault_inside(void *arg) {
  struct efvm_guest g;
  page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(&g, 0, sizeof g);
  g.base = (uint8_t *)page;
  for (volatile int i = 0; i < ROUNDS; i++) {
    struct sigaction a, old;
    memset(&a, 0, sizeof a);
    a.sa_flags = SA_SIGINFO;
    a.sa_sigaction = library;
    efvm_inside = 1;
    efvm_current = &g;
    check(sigaction(SIGSEGV, &a, &old) == 0 && old.sa_handler == SIG_DFL, "the library is answered otherwise");
    check(signal(SIGSEGV, SIG_DFL) == SIG_DFL, "the library is answered otherwise");
    if (!sigsetjmp(back, 0)) {
      *page = 1;
      check(0, "the guest went on");
    }
    efvm_inside = 0;
    check(!(efvm_blocked() >> SIGSEGV & 1), "the signal stays blocked");
  }
  check(calls == 0, "a guest's fault was passed on");
  return arg;
}

// too_many sets more actions than are kept: at some time the next is refused, and
// what was known goes on.
static void too_many(void) {
  struct sigaction a;
  int refused = 0;
  memset(&a, 0, sizeof a);
  a.sa_handler = without_info;
  for (int i = 0; i < 100; i++) {
    sigemptyset(&a.sa_mask);
    for (int bit = 0; bit < 7; bit++)
      if (i >> bit & 1) sigaddset(&a.sa_mask, SIGRTMIN + bit);
    if (!sigaction(SIGSEGV, &a, NULL)) continue;
    check(errno == EAGAIN, "refused for another reason");
    refused++;
  }
  check(refused > 30 && refused < 60, "another number of actions is kept");
  check(signal(SIGSEGV, SIG_DFL) != SIG_ERR && signal(SIGSEGV, SIG_IGN) == SIG_ERR, "the default is refused, or another is not");
  a.sa_flags = SA_RESTART;
  sigemptyset(&a.sa_mask);
  check(sigaction(SIGSEGV, &a, NULL) == 0, "a known action is refused");
  calls = 0;
  page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *page = 1;
  check(calls == 1, "a fault was not passed on");
}

int main(void) {
  void *(*const run[])(void *) = {set_handlers, set_handlers, fault_outside, fault_outside, fault_inside, fault_inside};
  enum { THREADS = sizeof run / sizeof *run };
  pthread_t threads[THREADS];
  check(signal(SIGSEGV, without_info) != SIG_ERR, "no handler");
  const char *why = efvm_guard();
  check(why == NULL, why);
  for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, run[i], NULL);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  check(efvm_guarded(), "the handler is gone");
  too_many();
  puts("done");
  return 0;
}
