// Runs two commands in turn, A B A B ..., and prints what the kernel accounts to each: CPU, wall clock, peak memory.
//
// In C and with vfork, because a child inherits the peak of the program that forked it: measured from a shell or from
// Python every small program seems to need theirs. In turn, because machines drift: the ratio of medians of one run
// holds where times do not.
//
// usage: launch RUNS -- COMMAND_A [ARGUMENT...] -- COMMAND_B [ARGUMENT...]
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct figures {
  double cpu, wall, peak;  // ms, ms, kB
};

static double now_ms(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static double ms_of(struct timeval time) { return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3; }

static struct figures run(char** command) {
  const double start = now_ms();
  const pid_t child = vfork();
  if (child == 0) {
    const int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    execvp(command[0], command);
    _exit(127);
  }
  int status;
  struct rusage usage;
  wait4(child, &status, 0, &usage);
  const double end = now_ms();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
    fprintf(stderr, "launch: %s cannot be run\n", command[0]);
    exit(2);
  }
  const struct figures seen = {ms_of(usage.ru_utime) + ms_of(usage.ru_stime), end - start, (double)usage.ru_maxrss};
  return seen;
}

static int ascending(const void* a, const void* b) { return *(const double*)a < *(const double*)b ? -1 : *(const double*)a > *(const double*)b; }

static double median(const struct figures* all, int runs, size_t field) {
  double* values = malloc((size_t)runs * sizeof *values);
  for (int i = 0; i < runs; ++i) memcpy(&values[i], (const char*)&all[i] + field, sizeof *values);
  qsort(values, (size_t)runs, sizeof *values, ascending);
  const double middle = values[runs / 2];
  free(values);
  return middle;
}

int main(int argc, char** argv) {
  int second = 0;
  for (int i = 3; i < argc; ++i)
    if (strcmp(argv[i], "--") == 0) second = i;
  if (argc < 6 || strcmp(argv[2], "--") != 0 || second == 0 || second + 1 == argc) {
    fprintf(stderr, "usage: launch RUNS -- COMMAND_A [ARGUMENT...] -- COMMAND_B [ARGUMENT...]\n");
    return 2;
  }
  argv[second] = NULL;
  const int runs = atoi(argv[1]);
  struct figures* a = calloc((size_t)runs, sizeof *a);
  struct figures* b = calloc((size_t)runs, sizeof *b);
  run(argv + 3);
  run(argv + second + 1);
  for (int i = 0; i < runs; ++i) {
    a[i] = run(argv + 3);
    b[i] = run(argv + second + 1);
  }
  const struct {
    const char* name;
    size_t field;
  } rows[] = {{"CPU time, ms", offsetof(struct figures, cpu)}, {"wall time, ms", offsetof(struct figures, wall)}, {"peak memory, kB", offsetof(struct figures, peak)}};
  printf("%-16s %10s %10s %8s   (medians of %d runs in turn)\n", "", "A", "B", "A/B", runs);
  for (size_t i = 0; i < 3; ++i) {
    const double of_a = median(a, runs, rows[i].field), of_b = median(b, runs, rows[i].field);
    printf("%-16s %10.2f %10.2f %8.3f\n", rows[i].name, of_a, of_b, of_a / of_b);
  }
  free(a);
  free(b);
  return 0;
}
