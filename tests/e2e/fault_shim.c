/* A library to preload into the agent: reads of files whose path has a certain part fail or end early, and the calendar
 * jumps. What happens is in the file that FAULT_SHIM names, read again at each call, lines of
 *   eio PART        read(2) and getdents64(2) of files whose path contains PART fail with EIO
 *   cut PART        they see half of the file and then its end
 *   jump SECONDS    the calendar is so far ahead
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct faults {
  char eio[256], cut[256];
  long jump;
};

static struct faults look(void) {
  struct faults faults = {"", "", 0};
  const char* name = getenv("FAULT_SHIM");
  int fd = name ? (int)syscall(SYS_open, name, 0) : -1;
  if (fd < 0) return faults;
  char text[1024];
  long length = syscall(SYS_read, fd, text, sizeof text - 1);
  syscall(SYS_close, fd);
  if (length <= 0) return faults;
  text[length] = 0;
  for (char* line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
    sscanf(line, "eio %255s", faults.eio);
    sscanf(line, "cut %255s", faults.cut);
    sscanf(line, "jump %ld", &faults.jump);
  }
  return faults;
}

static struct faults current(void) {
  int before = errno;
  struct faults faults = look();
  errno = before;
  return faults;
}

static int has(int fd, const char* part) {
  char link[64], path[4096];
  if (!*part) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  long length = syscall(SYS_readlink, link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return strstr(path, part) != NULL;
}

/* How many bytes of it may be seen from `offset` on. */
static size_t half_of(int fd, long offset, size_t count) {
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return count;
  long end = status.st_size / 2;
  return offset >= end ? 0 : count < (size_t)(end - offset) ? count : (size_t)(end - offset);
}

ssize_t read(int fd, void* into, size_t count) {
  struct faults faults = current();
  if (has(fd, faults.eio)) return errno = EIO, -1;
  if (has(fd, faults.cut)) count = half_of(fd, syscall(SYS_lseek, fd, 0, SEEK_CUR), count);
  return syscall(SYS_read, fd, into, count);
}

ssize_t pread(int fd, void* into, size_t count, off_t offset) {
  struct faults faults = current();
  if (has(fd, faults.eio)) return errno = EIO, -1;
  if (has(fd, faults.cut)) count = half_of(fd, offset, count);
  return syscall(SYS_pread64, fd, into, count, offset);
}
ssize_t pread64(int fd, void* into, size_t count, off_t offset) { return pread(fd, into, count, offset); }

struct dirent64;
static struct dirent64* next_entry(const char* name, void* directory, int (*fd_of)(void*)) {
  struct faults faults = current();
  int before = errno;
  if (has(fd_of(directory), faults.eio)) return errno = EIO, NULL;
  errno = before;
  struct dirent64* (*real)(void*) = dlsym(RTLD_NEXT, name);
  return real(directory);
}
extern int dirfd(void*);
struct dirent64* readdir64(void* directory) {
  return next_entry("readdir64", directory, dirfd);
}
void* readdir(void* directory) { return next_entry("readdir", directory, dirfd); }

int clock_gettime(clockid_t clock, struct timespec* time) {
  int result = (int)syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += current().jump;
  return result;
}
time_t time(time_t* into) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (into) *into = now.tv_sec;
  return now.tv_sec;
}
int gettimeofday(struct timeval* time, void* zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}
