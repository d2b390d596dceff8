// A guest that makes random file-system calls and tells what came of each, in words that are the same wherever the
// calls were answered rightly. Everything about call number i follows from the seed and i alone, so that any of the
// others can be left out when a difference is made smaller. Compiled with _GNU_SOURCE.
#ifndef CALLS_H
#define CALLS_H

#include <errno.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { k_slots = 8, k_first_slot = 100 };  // descriptors that the calls work with

// choose.c: what the random numbers of the current call are made into.
void begin_choices(unsigned long long seed, unsigned index);
unsigned below(unsigned limit);    // 0 .. limit - 1
int percent(unsigned chance);      // true that often
struct path {
  const char* text;  // may be a bad pointer
  char shown[160];   // how it is printed
};
struct path choose_path(void);      // anything, mostly something that may exist
struct path choose_name(void);      // the same for calls on the name itself
struct path choose_target(void);    // a text for a symbolic link
int choose_dir(void);               // AT_FDCWD, a slot, or a bad descriptor
int choose_slot(void);              // a slot, open or not, seldom a bad descriptor
mode_t choose_mode(int directory);  // permission bits that the user of this run may set
unsigned choose_flags(const unsigned* flags, unsigned count, unsigned chance);
extern int ordinary_user;           // the run is not root's: only modes that keep the user in
extern int deep_run;                // paths may be longer than a call takes; nothing is believed of files there
extern int linking_run;             // hard links are made
extern int old_kernel;              // before 6.10: link(2) of a descriptor needs a privilege of the host
const char* dir_text(int fd);

// report.c
void say(const char* format, ...) __attribute__((format(printf, 1, 2)));
void result(long returned);                   // " = N" or the error's name; ends the line
void result_ok(long returned);                // the same, any success is "ok"
void result_fd(long returned);                // the new descriptor is put into a slot and described
void result_text(long returned, const char* text);
void say_stat(const struct stat* st);
int is_fifo_at(int dir, const char* path);
// Whether a path leads to a symbolic link that is held open. Those of /proc have modes that change when anybody looks.
int is_open_link(const char* path);

// As syscall(2), but the number stands in the instruction in front of the system call, as in the C library's own calls:
// engines that change programs change such places.
#define DIRECT(number, ...) DIRECT_(number, __VA_ARGS__, 0, 0, 0, 0, 0)
#define DIRECT_(number, a, b, c, d, e, ...)                                                                      \
  ({                                                                                                             \
    long returned_;                                                                                              \
    register long d_ __asm__("r10") = (long)(d);                                                                 \
    register long e_ __asm__("r8") = (long)(e);                                                                  \
    __asm__ volatile("movl %1, %%eax\n\tsyscall"                                                                 \
                     : "=a"(returned_)                                                                           \
                     : "i"(number), "D"((long)(a)), "S"((long)(b)), "d"((long)(c)), "r"(d_), "r"(e_)             \
                     : "rcx", "r11", "memory");                                                                  \
    if (returned_ < 0 && returned_ >= -4095) {                                                                   \
      errno = (int)-returned_;                                                                                   \
      returned_ = -1;                                                                                            \
    }                                                                                                            \
    returned_;                                                                                                   \
  })

// The calls by topic; each makes one.
void open_call(void);
void stat_call(void);
void name_call(void);
void inode_call(void);
void xattr_call(void);
void place_call(void);
void socket_call(void);
void descriptor_call(void);

// dump.c: the tree as it is now; `linked`: without the modes of files, which between runs are known by path alone, and of
// files with two by that by which they were set.
void dump_tree(const char* path, int linked);

#endif
