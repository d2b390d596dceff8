// What the compared programs share: each prints what the system answered, in words that do not depend on the place.
#pragma once
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The result of a call, or the name of its error.
static inline void report_result(const char* what, long result) {
  if (result < 0)
    printf("%s: %s\n", what, strerrorname_np(errno));
  else
    printf("%s: %ld\n", what, result);
}
#define REPORT(call) (errno = 0, report_result(#call, (long)(call)))

// The same for calls whose positive result says nothing (descriptors, ids).
static inline long report_success(const char* what, long result) {
  printf("%s: %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
  return result;
}
#define SUCCEEDS(call) (errno = 0, report_success(#call, (long)(call)))

// Goes to the directory in which a program works: the first argument, or if there is a second one, "deep", a new
// directory below it that is 2000 characters away.
static inline int enter(int count, char** words) {
  char name[201] = "";
  if (count < 2 || chdir(words[1]) != 0) exit(99);
  const int deep = count > 2 && strcmp(words[2], "deep") == 0;
  for (int i = 0; i < 10 && deep; ++i) {
    memset(name, 'n', sizeof name - 1);
    if (mkdir(name, 0755) != 0 || chdir(name) != 0) exit(99);
  }
  return deep;
}
