// Calls that no kernel of today has, those of io_uring and, in 64-bit programs, those of x32: the numbers of all that
// do not answer ENOSYS.
#include "report.h"

static void must_be_unknown(long first, long last) {
  for (long number = first; number <= last; ++number) {
    errno = 0;
    // Arguments that are no pointers and no descriptors, should it be known after all.
    if (syscall(number, -1, -1, -1, -1, -1, -1) != -1 || errno != ENOSYS)
      printf("%ld: %s\n", number, strerrorname_np(errno));
  }
}

int main(void) {
  must_be_unknown(425, 427);
  must_be_unknown(472, 2000);
  must_be_unknown(0x7fffff00, 0x7ffffffe);
  must_be_unknown(-300, -1);
#ifdef __x86_64__
  must_be_unknown(337, 423);
  must_be_unknown(0x40000000, 0x40000000 + 1100);
  must_be_unknown(0x80000000L, 0x80000000L + 500);
#else
  must_be_unknown(222, 223);
  must_be_unknown(251, 251);
  must_be_unknown(285, 285);
  must_be_unknown(387, 392);
#endif
  puts("done");
  return 0;
}
