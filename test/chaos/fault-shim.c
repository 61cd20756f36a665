/*
 * Injects faults below a process that knows nothing of them (LD_PRELOAD): kills it at its n-th sync, makes syncs slow, fills the
 * disk, moves the clock. What to do stands in a small file (HOMEOSTAT_FAULTS) that the test maps too and may change at any time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct faults {
  /* Syncs of regular files so far, of all processes that map the file. */
  volatile uint32_t syncs;
  /* Send the process the signal at this sync; 0 never. */
  volatile uint32_t kill_at;
  /* 1: after the sync is done, else before it. */
  volatile uint32_t kill_after;
  /* Milliseconds that each sync takes longer. */
  volatile uint32_t delay_ms;
  /* 1: writes to regular files fail with ENOSPC. */
  volatile uint32_t full;
  /* What it is killed with. */
  volatile uint32_t signal;
  /* Milliseconds that the wall clock is ahead. */
  volatile int64_t ahead_ms;
};

static struct faults *faults;

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("HOMEOSTAT_TEST_FAULTS");
  if (!path) return;
  int file = open(path, O_RDWR);
  if (file < 0) return;
  void *map = mmap(0, sizeof(struct faults), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (map != MAP_FAILED) faults = map;
}

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

static int is_regular(int file) {
  struct stat about;
  return fstat(file, &about) == 0 && S_ISREG(about.st_mode);
}

static int sync_with_faults(int file, int (*real)(int)) {
  if (!faults || !is_regular(file)) return real(file);
  uint32_t number = __sync_add_and_fetch(&faults->syncs, 1);
  if (faults->delay_ms) usleep(faults->delay_ms * 1000);
  int is_last = faults->kill_at && number == faults->kill_at;
  if (is_last && !faults->kill_after) kill(getpid(), faults->signal);
  int result = real(file);
  if (is_last && faults->kill_after) kill(getpid(), faults->signal);
  return result;
}

int fsync(int file) { return sync_with_faults(file, REAL(fsync)); }
int fdatasync(int file) { return sync_with_faults(file, REAL(fdatasync)); }

static int is_full(int file) {
  if (!faults || !faults->full || !is_regular(file)) return 0;
  errno = ENOSPC;
  return 1;
}

ssize_t write(int file, const void *bytes, size_t count) {
  return is_full(file) ? -1 : REAL(write)(file, bytes, count);
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
  return is_full(file) ? -1 : REAL(pwrite)(file, bytes, count, at);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
  return is_full(file) ? -1 : REAL(pwrite64)(file, bytes, count, at);
}
ssize_t writev(int file, const struct iovec *parts, int count) {
  return is_full(file) ? -1 : REAL(writev)(file, parts, count);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  int result = REAL(clock_gettime)(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME && faults) {
    int64_t ahead = faults->ahead_ms;
    time->tv_sec += ahead / 1000;
  }
  return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  int result = REAL(gettimeofday)(time, zone);
  if (result == 0 && time && faults) time->tv_sec += faults->ahead_ms / 1000;
  return result;
}
