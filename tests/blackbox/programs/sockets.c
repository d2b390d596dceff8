// AF_UNIX addresses of every call that carries one, made in an empty directory (the first argument). A second argument
// "socketcall" makes an i386 program use the one old number for all of them.
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "report.h"

static int multiplexed;

static long invoke(int number, int which, long a, long b, long c, long d, long e, long f) {
#ifdef __i386__
  long words[6] = {a, b, c, d, e, f};
  if (multiplexed) return syscall(SYS_socketcall, which, words);
#endif
  return syscall(number, a, b, c, d, e, f);
}
#define P(pointer) ((long)(pointer))
static long my_bind(int s, void* a, socklen_t n) { return invoke(SYS_bind, 2, s, P(a), n, 0, 0, 0); }
static long my_connect(int s, void* a, socklen_t n) { return invoke(SYS_connect, 3, s, P(a), n, 0, 0, 0); }
static long my_sendto(int s, void* a, socklen_t n) { return invoke(SYS_sendto, 11, s, P("data"), 4, 0, P(a), n); }
static long my_sendmsg(int s, struct msghdr* m) { return invoke(SYS_sendmsg, 16, s, P(m), 0, 0, 0, 0); }
static long my_recvmsg(int s, struct msghdr* m) { return invoke(SYS_recvmsg, 17, s, P(m), 0, 0, 0, 0); }
static long my_sendmmsg(int s, struct mmsghdr* m, unsigned n) { return invoke(SYS_sendmmsg, 20, s, P(m), n, 0, 0, 0); }
static long my_recvmmsg(int s, struct mmsghdr* m, unsigned n) {
  return invoke(SYS_recvmmsg, 19, s, P(m), n, MSG_DONTWAIT, 0, 0);
}
static long my_getsockname(int s, void* a, socklen_t* n) { return invoke(SYS_getsockname, 6, s, P(a), P(n), 0, 0, 0); }
static long my_getpeername(int s, void* a, socklen_t* n) { return invoke(SYS_getpeername, 7, s, P(a), P(n), 0, 0, 0); }
static long my_accept4(int s, void* a, socklen_t* n) { return invoke(SYS_accept4, 18, s, P(a), P(n), 0, 0, 0); }
static long my_accept(int s, void* a, socklen_t* n) {
#ifdef __x86_64__
  return syscall(SYS_accept, s, a, n);
#else
  return multiplexed ? invoke(0, 5, s, P(a), P(n), 0, 0, 0) : my_accept4(s, a, n);
#endif
}
static long my_recvfrom(int s, void* a, socklen_t* n) {
  char data[16];
  return invoke(SYS_recvfrom, 12, s, P(data), sizeof data, MSG_DONTWAIT, P(a), P(n));
}

// `bare`: the length ends with the last character, without a null.
static socklen_t fill(struct sockaddr_un* a, const char* path, int bare) {
  size_t n = strlen(path);
  memset(a, 0, sizeof *a);
  a->sun_family = AF_UNIX;
  memcpy(a->sun_path, path, n < sizeof a->sun_path ? n : sizeof a->sun_path);
  n = offsetof(struct sockaddr_un, sun_path) + n + !bare;
  return (socklen_t)(n < sizeof *a ? n : sizeof *a);
}

static void show(const char* what, long result, const struct sockaddr_un* a, socklen_t length) {
  const int start = offsetof(struct sockaddr_un, sun_path);
  printf("%s: ", what);
  if (result < 0)
    printf("%s\n", strerrorname_np(errno));
  else if (length > (socklen_t)start)
    printf("family %d length %u '%.*s'\n", a->sun_family, length, 108,
           a->sun_path[0] != '\0' ? a->sun_path : a->sun_path + 1);
  else
    printf("length %u\n", length);
}

static int bound(int type, const char* path) {
  struct sockaddr_un a;
  int s = socket(AF_UNIX, type, 0);
  socklen_t length = fill(&a, path, 0);
  SUCCEEDS(my_bind(s, &a, length));
  return s;
}

static void names_of(const char* what, int s) {
  struct sockaddr_un a = {0};
  socklen_t n = sizeof a;
  errno = 0;
  long result = my_getsockname(s, &a, &n);
  printf("%s ", what);
  show("own", result, &a, n);
  memset(&a, 0, sizeof a);
  n = sizeof a;
  result = my_getpeername(s, &a, &n);
  printf("%s ", what);
  show("peer", result, &a, n);
}

static void stream(const char* path, const char* client_path) {
  struct sockaddr_un a, seen;
  struct stat st;
  printf("stream %zu %zu\n", strlen(path), strlen(client_path));
  int server = bound(SOCK_STREAM, path);
  socklen_t length = fill(&a, path, 0);
  int early = socket(AF_UNIX, SOCK_STREAM, 0);
  REPORT(my_connect(early, &a, length));
  REPORT(listen(server, 5));
  names_of("server", server);
  for (int way = 0; way < 2; ++way) {
    int client = way == 0 ? socket(AF_UNIX, SOCK_STREAM, 0) : bound(SOCK_STREAM, client_path);
    REPORT(my_connect(client, &a, way == 0 ? length : (socklen_t)sizeof a));
    names_of("client", client);
    memset(&seen, 0, sizeof seen);
    socklen_t n = sizeof seen;
    long accepted = way == 0 ? my_accept(server, &seen, &n) : my_accept4(server, &seen, &n);
    show("accepted", accepted, &seen, n);
    names_of("accepted", (int)accepted);
    close((int)accepted);
    close(client);
  }
  // Too little room: the address is cut, its full length told.
  memset(&seen, 'x', sizeof seen);
  socklen_t n = 5;
  long result = my_getsockname(server, &seen, &n);
  printf("cut %ld %u %.3s|%c\n", result, n, seen.sun_path, seen.sun_path[3]);
  n = 0;
  result = my_getsockname(server, &seen, &n);
  printf("nothing %ld %u\n", result, n);
  REPORT(lstat(path, &st) == 0 && S_ISSOCK(st.st_mode));
  int other = socket(AF_UNIX, SOCK_STREAM, 0);
  REPORT(my_bind(other, &a, length));
  REPORT(my_bind(server, &a, length));
  rename(path, "moved");
  names_of("moved", server);
  REPORT(my_connect(other, &a, length));
  length = fill(&a, "moved", 1);
  REPORT(my_connect(other, &a, length));
  REPORT(unlink("moved"));
  REPORT(unlink(client_path));
  close(early);
  close(other);
  close(server);
}

enum { k_many = 100 };

static void datagrams(const char* one, const char* two) {
  struct sockaddr_un to, from[4];
  printf("datagrams %zu %zu\n", strlen(one), strlen(two));
  int server = bound(SOCK_DGRAM, one), client = bound(SOCK_DGRAM, two);
  socklen_t length = fill(&to, one, 1);
  REPORT(my_sendto(client, &to, length));
  socklen_t n = sizeof from[0];
  memset(from, 0, sizeof from);
  long result = my_recvfrom(server, &from[0], &n);
  show("recvfrom", result, &from[0], n);
  REPORT(my_sendto(client, &to, length));
  REPORT(my_recvfrom(server, NULL, NULL));

  struct iovec out = {"data", 4};
  struct msghdr message = {.msg_name = &to, .msg_namelen = length, .msg_iov = &out, .msg_iovlen = 1};
  REPORT(my_sendmsg(client, &message));
  printf("untouched %d %d\n", message.msg_name == &to, message.msg_namelen == length);
  char data[4][8];
  struct iovec in = {data[0], 8};
  struct msghdr got = {.msg_name = &from[0], .msg_namelen = sizeof from[0], .msg_iov = &in, .msg_iovlen = 1};
  result = my_recvmsg(server, &got);
  show("recvmsg", result, &from[0], got.msg_namelen);

  // A vector: to the path, to nobody in particular, to the path; read with room for some names only.
  struct mmsghdr sent[3] = {{.msg_hdr = message}, {.msg_hdr = message}, {.msg_hdr = message}};
  sent[1].msg_hdr.msg_name = NULL;
  sent[1].msg_hdr.msg_namelen = 0;
  int pair = socket(AF_UNIX, SOCK_DGRAM, 0);
  my_connect(pair, &to, length);
  REPORT(my_sendmmsg(pair, sent, 3));
  REPORT(my_sendmmsg(client, sent, 3));
  REPORT(my_sendmmsg(client, sent + 2, 1));
  printf("lengths %u %u %u\n", sent[0].msg_len, sent[1].msg_len, sent[2].msg_len);
  struct iovec places[4];
  struct mmsghdr received[4];
  memset(from, 0, sizeof from);
  memset(received, 0, sizeof received);
  for (int i = 0; i < 4; ++i) {
    places[i] = (struct iovec){data[i], 8};
    received[i].msg_hdr = (struct msghdr){.msg_name = i == 0 ? NULL : &from[i],
                                          .msg_iov = &places[i],
                                          .msg_iovlen = 1,
                                          .msg_namelen = i == 0   ? 0
                                                         : i == 3 ? 5
                                                                  : sizeof from[i]};
  }
  result = my_recvmmsg(server, received, 4);
  printf("recvmmsg %ld\n", result);
  for (int i = 0; i < result; ++i) show("each", 0, &from[i], received[i].msg_hdr.msg_namelen);
  result = my_recvmmsg(server, received + 1, 3);
  printf("recvmmsg %ld\n", result);
  for (int i = 1; i <= result; ++i) show("each", 0, &from[i], received[i].msg_hdr.msg_namelen);

  struct mmsghdr many[k_many];
  for (int i = 0; i < k_many; ++i) many[i] = (struct mmsghdr){.msg_hdr = message};
  fcntl(client, F_SETFL, O_NONBLOCK);
  long total = 0;
  while (total < k_many) {
    result = my_sendmmsg(client, many + total, (unsigned)(k_many - total));
    if (result > 0) total += result;
    while (my_recvfrom(server, NULL, NULL) >= 0) {
    }
  }
  printf("all sent: %ld %u\n", total, many[k_many - 1].msg_len);
  REPORT(my_connect(client, &to, length));
  names_of("connected", client);
  memset(&to, 0, sizeof to);
  REPORT(my_connect(client, &to, sizeof(sa_family_t)));
  REPORT(unlink(one));
  length = fill(&to, one, 0);
  REPORT(my_sendto(client, &to, length));
  message.msg_namelen = length;
  REPORT(my_sendmsg(client, &message));
  REPORT(unlink(two));
  close(server);
  close(client);
  close(pair);
}

static void others(void) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  int s = socket(AF_UNIX, SOCK_STREAM, 0);
  REPORT(my_bind(s, &a, 1));
  REPORT(my_bind(s, &a, 200));
  REPORT(my_bind(s, NULL, 20));
  socklen_t length = fill(&a, "missing/socket", 0);
  REPORT(my_bind(s, &a, length));
  REPORT(my_connect(s, &a, length));
  close(open("file", O_CREAT | O_WRONLY, 0600));
  length = fill(&a, "file", 0);
  REPORT(my_bind(s, &a, length));
  REPORT(my_connect(s, &a, length));
  length = fill(&a, "file/x", 0);
  REPORT(my_bind(s, &a, length));
  if (symlink("behind", "link") != 0) exit(99);
  length = fill(&a, "link", 0);
  REPORT(my_bind(s, &a, length));
  length = fill(&a, "behind", 0);
  REPORT(my_bind(s, &a, length));
  REPORT(listen(s, 1));
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  length = fill(&a, "link", 0);
  REPORT(my_connect(client, &a, length));
  names_of("by link", client);
  close(client);
  close(s);
  int datagram = socket(AF_UNIX, SOCK_DGRAM, 0);
  REPORT(my_connect(datagram, &a, length));
  memset(&a, 0, sizeof a);
  a.sun_family = AF_UNIX;
  REPORT(my_bind(datagram, &a, sizeof(sa_family_t)));
  socklen_t n = sizeof a;
  my_getsockname(datagram, &a, &n);
  printf("autobind %u\n", n);
  int stream = socket(AF_UNIX, SOCK_STREAM, 0), abstract = socket(AF_UNIX, SOCK_STREAM, 0);
  memset(&a, 0, sizeof a);
  a.sun_family = AF_UNIX;
  snprintf(a.sun_path + 1, 100, "udocker-test-%ld", (long)getpid());
  REPORT(my_bind(abstract, &a, 20));
  REPORT(listen(abstract, 1));
  REPORT(my_connect(stream, &a, 20));
}

// A directory that takes the place of another one of that name.
static void replaced_directory(void) {
  for (int i = 0; i < 2; ++i) {
    REPORT(mkdir("directory", 0700));
    int s = bound(SOCK_STREAM, "directory/server");
    REPORT(listen(s, 1));
    struct sockaddr_un a;
    socklen_t length = fill(&a, "directory/server", 0);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    REPORT(my_connect(client, &a, length));
    names_of("replaced", client);
    REPORT(unlink("directory/server"));
    REPORT(rmdir("directory"));
    close(client);
    close(s);
  }
}

int main(int count, char** words) {
  char longest[109], longer[108];
  setvbuf(stdout, NULL, _IOLBF, 0);
  multiplexed = !enter(count, words) && count > 2;
  memset(longest, 'l', 108);
  memset(longer, 'm', 107);
  longest[108] = longer[107] = '\0';
  stream("server", "client");
  stream(longer, longest);
  datagrams("one", "two");
  datagrams(longest, longer);
  replaced_directory();
  others();
  return 0;
}
