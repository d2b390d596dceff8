// What the guest programs of the engine tests share: CHECK prints what does not hold; the program ends with DONE.
#pragma once

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int failures;

#define CHECK(condition)                                                                                     \
  do {                                                                                                       \
    int saved = errno;                                                                                       \
    if (!(condition)) {                                                                                      \
      printf("%s:%d: %s (errno %d: %s)\n", __FILE__, __LINE__, #condition, saved, strerror(saved));          \
      ++failures;                                                                                            \
    }                                                                                                        \
    errno = saved;                                                                                           \
  } while (0)

#define FAILS(call, error) CHECK((errno = 0, (call) < 0 && errno == (error)))

#define DONE                                         \
  do {                                               \
    if (failures == 0) puts("all checks hold");      \
    return failures == 0 ? 0 : 1;                    \
  } while (0)
