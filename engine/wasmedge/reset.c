//go:build wasmedge && cgo && linux

// Makes a used guest new again: its memory's bytes and size, and its globals. A
// new guest costs the library an object for each function and the kernel a mapping
// of 12 GiB.

#define _GNU_SOURCE
#include "guest.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 65536 };

// page_count is where a memory instance keeps its number of pages, as an offset;
// 0 if that is not known. The library cannot make a memory smaller, and its own
// objects are no API, so the place is found by experiment.
static size_t page_count;

// COUNT_WITHIN is how much of a memory instance is looked at. Limits and a pointer
// take more in every version.
enum { COUNT_WITHIN = 24 };

static uint32_t peek(const void *object, size_t at) {
  uint32_t v;
  memcpy(&v, (const char *)object + at, sizeof v);
  return v;
}

static void poke(void *object, size_t at, uint32_t v) { memcpy((char *)object + at, &v, sizeof v); }

// only is the offset of the only word with a value, 0 if there is not exactly one.
static size_t only(const void *object, uint32_t value) {
  size_t found = 0;
  int n = 0;
  for (size_t at = 0; at < COUNT_WITHIN; at += sizeof value)
    if (peek(object, at) == value) found = at, n++;
  return n == 1 ? found : 0;
}

// shrink takes a memory back to some pages: the rest has no access again, as
// before it grew, and reads as zeros when it next grows. 0 if that is impossible.
static int shrink(WasmEdge_MemoryInstanceContext *m, uint32_t pages, size_t at) {
  uint32_t now = WasmEdge_MemoryInstanceGetPageSize(m);
  if (now == pages) return 1;
  uint8_t *base = WasmEdge_MemoryInstanceGetPointer(m, 0, 1);
  if (!at || !base || pages > now) return 0;
  if (mmap(base + (size_t)pages * PAGE, (size_t)(now - pages) * PAGE, PROT_NONE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
    return 0;
  poke(m, at, pages);
  return WasmEdge_MemoryInstanceGetPageSize(m) == pages;
}

// locate makes a memory of few pages, grows it, and looks where the number is. It
// returns the place if the memory can then be shrunk and grown as it should.
static size_t locate(uint32_t few, uint32_t more) {
  uint32_t most = few + 2 * more + 1;
#if WASMEDGE_VERSION_MINOR >= 17
  WasmEdge_LimitContext *limit = WasmEdge_LimitCreateWithMax(few, most, false, false);
  WasmEdge_MemoryTypeContext *type = WasmEdge_MemoryTypeCreate(limit);
  WasmEdge_LimitDelete(limit);
#else
  WasmEdge_MemoryTypeContext *type = WasmEdge_MemoryTypeCreate((WasmEdge_Limit){.HasMax = true, .Min = few, .Max = most});
#endif
  WasmEdge_MemoryInstanceContext *m = WasmEdge_MemoryInstanceCreate(type);
  WasmEdge_MemoryTypeDelete(type);
  if (!m) return 0;
  size_t at = only(m, few);
  int ok = at && WasmEdge_ResultOK(WasmEdge_MemoryInstanceGrowPage(m, more)) && only(m, few + more) == at;
  for (int round = 0; ok && round < 2; round++) {
    uint8_t *last = WasmEdge_MemoryInstanceGetPointer(m, (few + more) * PAGE - 1, 1);
    ok = last && *last == 0;
    if (!ok) break;
    *last = 1;
    ok = shrink(m, few, at) && only(m, few) == at && !WasmEdge_MemoryInstanceGetPointer(m, few * PAGE, 1) &&
         WasmEdge_MemoryInstanceGetPointer(m, few * PAGE - 1, 1) &&
         WasmEdge_ResultOK(WasmEdge_MemoryInstanceGrowPage(m, more)) &&
         WasmEdge_MemoryInstanceGetPageSize(m) == few + more;
  }
  WasmEdge_MemoryInstanceDelete(m);
  return ok ? at : 0;
}

static void find_page_count(void) {
  size_t at = locate(19, 4);
  if (at == locate(3, 58)) page_count = at;
}

// efvm_can_shrink says whether memories that have grown can be taken back.
int efvm_can_shrink(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, find_page_count);
  return page_count != 0;
}

size_t efvm_page_count(void) { return efvm_can_shrink() ? page_count : 0; }

int efvm_shrink(struct efvm_guest *g) {
  return !g->memory || shrink(g->memory, (uint32_t)(g->first_bytes / PAGE), page_count);
}

// BLOCK is the unit of an image: a page of the kernel's. MOST is how many there are
// at most; reuse.go has it in bytes.
enum { BLOCK = 4096, MOST = 1024 };

static const uint8_t zeros[BLOCK];

void efvm_image_free(struct efvm_image *image) {
  for (size_t i = 0; image && i < image->blocks; i++) free(image->block[i]);
  free(image);
}

// residents notes which blocks of a memory have a page. The answer may be wrong
// when it is used, since the system writes pages out: it decides what a reset
// costs, not what it does.
static void residents(const struct efvm_guest *g, size_t blocks, unsigned char *there) {
  if (sysconf(_SC_PAGESIZE) != BLOCK || mincore(g->base, blocks * BLOCK, there))
    memset(there, 1, blocks);
}

// WORTH is how many blocks are worth a call of the system.
enum { WORTH = 8 };

// dropped makes a run of blocks, from the i-th on, zeros by taking their pages away,
// should they have some after all. It returns how many; 0 if the i-th is to be
// compared. To take a page that never was costs nothing, but to read it costs a fault.
static size_t dropped(const struct efvm_guest *g, const struct efvm_image *image, const unsigned char *there, size_t i) {
  size_t n = 0;
  while (i + n < image->blocks && !(there[i + n] & 1) && !image->block[i + n]) n++;
  if (n < WORTH) return 0;
  return madvise(g->base + i * BLOCK, n * BLOCK, MADV_DONTNEED) ? 0 : n;
}

struct efvm_image *efvm_image_of(const struct efvm_guest *g) {
  size_t blocks = g->first_bytes / BLOCK;
  if (blocks > MOST) return NULL;
  struct efvm_image *image = calloc(1, sizeof *image + blocks * sizeof image->block[0]);
  if (!image) return NULL;
  image->blocks = blocks;
  for (size_t i = 0; i < blocks; i++) {
    const uint8_t *at = g->base + i * BLOCK;
    if (!memcmp(at, zeros, BLOCK)) continue;
    uint8_t *copy = malloc(BLOCK);
    image->block[i] = copy;
    if (!copy) {
      efvm_image_free(image);
      return NULL;
    }
    memcpy(copy, at, BLOCK);
  }
  unsigned char none[MOST] = {0}; // reading gave the zeros pages
  for (size_t i = 0, n; i < blocks; i += n ? n : 1) n = dropped(g, image, none, i);
  return image;
}

// efvm_reset makes a guest new whose memory was shrunk. A block that has a page is
// compared first: most did not change. there is which blocks
// have one; NULL: the system is asked. It returns how much of the memory has pages.
uint64_t efvm_reset(struct efvm_guest *g, const struct efvm_image *image, const unsigned char *there) {
  unsigned char asked[MOST];
  uint64_t bytes = 0;
  if (!there) {
    residents(g, image->blocks, asked);
    there = asked;
  }
  for (size_t i = 0, n; i < image->blocks; i += n) {
    n = dropped(g, image, there, i);
    if (n) continue;
    n = 1;
    bytes += BLOCK;
    uint8_t *at = g->base + i * BLOCK;
    const uint8_t *want = image->block[i];
    if (!want) want = zeros;
    if (memcmp(at, want, BLOCK)) memcpy(at, want, BLOCK);
  }
  for (uint32_t i = 0; i < g->n_globals; i++) WasmEdge_GlobalInstanceSetValue(g->globals[i].at, g->globals[i].first);
  efvm_refresh(g);
  return bytes;
}

// same_value compares numbers; what lies beside them in a value says nothing.
static int same_value(const WasmEdge_Value *a, const WasmEdge_Value *b) {
  int small = WasmEdge_ValTypeIsI32(a->Type) || WasmEdge_ValTypeIsF32(a->Type);
  return WasmEdge_ValTypeIsEqual(a->Type, b->Type) && !memcmp(&a->Value, &b->Value, small ? 4 : 8);
}

// efvm_difference says what is not the same in two guests of one module, NULL if
// nothing is. at is where in the memory, or which global.
const char *efvm_difference(struct efvm_guest *g, struct efvm_guest *fresh, uint64_t *at) {
  efvm_refresh(g);
  efvm_refresh(fresh);
  *at = g->bytes;
  if (g->bytes != fresh->bytes) return "size of the memory";
  for (*at = 0; *at < g->bytes; ++*at)
    if (g->base[*at] != fresh->base[*at]) return "memory";
  for (*at = 0; *at < g->n_globals; ++*at) {
    WasmEdge_Value a = WasmEdge_GlobalInstanceGetValue(g->globals[*at].at);
    WasmEdge_Value b = WasmEdge_GlobalInstanceGetValue(fresh->globals[*at].at);
    if (!same_value(&a, &b)) return "global";
  }
  *at = 0;
  return g->counter == fresh->counter ? NULL : "counter";
}
