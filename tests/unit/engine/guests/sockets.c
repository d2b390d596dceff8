// AF_UNIX addresses: what was bound is what is seen, long names included.
#define _GNU_SOURCE
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"

static struct sockaddr_un address(const char* path, socklen_t* length) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  memcpy(a.sun_path, path, strnlen(path, sizeof a.sun_path));
  size_t n = offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1;
  *length = (socklen_t)(n < sizeof a ? n : sizeof a);
  return a;
}

static int is_path(const struct sockaddr_un* a, socklen_t length, const char* path) {
  const size_t expected = offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1;  // 111 for the longest
  return a->sun_family == AF_UNIX && length == expected && strncmp(a->sun_path, path, sizeof a->sun_path) == 0;
}

static void stream(const char* path) {
  socklen_t length;
  struct sockaddr_un a = address(path, &length), seen;
  int server = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(bind(server, (struct sockaddr*)&a, length) == 0);
  CHECK(listen(server, 1) == 0);
  socklen_t room = sizeof seen;
  CHECK(getsockname(server, (struct sockaddr*)&seen, &room) == 0 && is_path(&seen, room, path));
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(connect(client, (struct sockaddr*)&a, sizeof a) == 0);
  room = sizeof seen;
  CHECK(getpeername(client, (struct sockaddr*)&seen, &room) == 0 && is_path(&seen, room, path));
  room = sizeof seen;
  int accepted = accept(server, (struct sockaddr*)&seen, &room);
  CHECK(accepted >= 0 && room == sizeof(sa_family_t));
  CHECK(write(client, "x", 1) == 1);
  char byte = 0;
  CHECK(read(accepted, &byte, 1) == 1 && byte == 'x');
  struct stat st;
  CHECK(lstat(path, &st) == 0 && S_ISSOCK(st.st_mode));
  int other = socket(AF_UNIX, SOCK_STREAM, 0);
  FAILS(bind(other, (struct sockaddr*)&a, length), EADDRINUSE);
  close(other);
  close(accepted);
  close(client);
  close(server);
  CHECK(unlink(path) == 0);
  client = socket(AF_UNIX, SOCK_STREAM, 0);
  FAILS(connect(client, (struct sockaddr*)&a, length), ENOENT);
  close(client);
}

static int bound_datagram(const char* path) {
  socklen_t length;
  struct sockaddr_un a = address(path, &length);
  int s = socket(AF_UNIX, SOCK_DGRAM, 0);
  CHECK(bind(s, (struct sockaddr*)&a, length) == 0);
  return s;
}

static void datagrams(void) {
  int server = bound_datagram("/tmp/server.sock"), client = bound_datagram("client.sock");
  socklen_t length;
  struct sockaddr_un to = address("/tmp/server.sock", &length), from;
  char byte;
  CHECK(sendto(client, "a", 1, 0, (struct sockaddr*)&to, length) == 1);
  socklen_t room = sizeof from;
  CHECK(recvfrom(server, &byte, 1, 0, (struct sockaddr*)&from, &room) == 1 && byte == 'a');
  CHECK(is_path(&from, room, "client.sock"));

  struct iovec data = {"b", 1};
  struct msghdr out = {.msg_name = &to, .msg_namelen = length, .msg_iov = &data, .msg_iovlen = 1};
  CHECK(sendmsg(client, &out, 0) == 1);
  CHECK(out.msg_name == &to && out.msg_namelen == length);
  struct iovec place = {&byte, 1};
  struct msghdr in = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &place, .msg_iovlen = 1};
  CHECK(recvmsg(server, &in, 0) == 1 && byte == 'b' && is_path(&from, in.msg_namelen, "client.sock"));

  struct mmsghdr many[3];
  memset(many, 0, sizeof many);
  for (int i = 0; i < 3; ++i) many[i].msg_hdr = out;
  CHECK(sendmmsg(client, many, 3, 0) == 3);
  for (int i = 0; i < 3; ++i) CHECK(many[i].msg_len == 1 && many[i].msg_hdr.msg_name == &to);
  struct sockaddr_un names[3];
  char bytes[3];
  struct iovec places[3];
  for (int i = 0; i < 3; ++i) {
    places[i] = (struct iovec){&bytes[i], 1};
    many[i].msg_hdr = (struct msghdr){.msg_name = &names[i], .msg_namelen = sizeof names[i], .msg_iov = &places[i],
                                      .msg_iovlen = 1};
  }
  CHECK(recvmmsg(server, many, 3, 0, NULL) == 3);
  for (int i = 0; i < 3; ++i) CHECK(is_path(&names[i], many[i].msg_hdr.msg_namelen, "client.sock"));

  room = 6;  // a short buffer gets the beginning, the length is the full one
  CHECK(getsockname(client, (struct sockaddr*)&from, &room) == 0 && room == 14 && memcmp(from.sun_path, "clie", 4) == 0);
  CHECK(connect(client, (struct sockaddr*)&to, length) == 0 && send(client, "c", 1, 0) == 1);
  CHECK(recv(server, &byte, 1, 0) == 1 && byte == 'c');
  close(server);
  close(client);
  unlink("/tmp/server.sock");
  unlink("client.sock");
}

static void other_addresses(void) {
  struct sockaddr_un hidden = {.sun_family = AF_UNIX};
  int length = snprintf(hidden.sun_path + 1, sizeof hidden.sun_path - 1, "udocker-test-%d", (int)getpid());
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
  int s = socket(AF_UNIX, SOCK_DGRAM, 0);
  CHECK(bind(s, (struct sockaddr*)&hidden, size) == 0);
  struct sockaddr_un seen;
  socklen_t room = sizeof seen;
  CHECK(getsockname(s, (struct sockaddr*)&seen, &room) == 0 && room == size && memcmp(&seen, &hidden, size) == 0);
  close(s);
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  room = sizeof seen;
  CHECK(getsockname(pair[0], (struct sockaddr*)&seen, &room) == 0 && room == sizeof(sa_family_t));
  s = socket(AF_UNIX, SOCK_STREAM, 0);
  FAILS(connect(s, (struct sockaddr*)1, 20), EFAULT);
  FAILS(bind(s, (struct sockaddr*)&hidden, 400), EINVAL);
  struct sockaddr_un deep = {.sun_family = AF_UNIX, .sun_path = "/no/such/socket"};
  FAILS(bind(s, (struct sockaddr*)&deep, sizeof deep), ENOENT);
}

int main(void) {
  CHECK(chdir("/tmp") == 0);
  stream("/tmp/s.sock");
  stream("./relative.sock");
  // As long as an address can be, in a directory whose host path is longer than that.
  char directory[] = "/tmp/a-rather-long-name-of-a-directory-for-sockets-0123456789-0123456789-0123456789";
  CHECK(mkdir(directory, 0700) == 0 && chdir(directory) == 0);
  char name[109] = {0};
  memset(name, 's', 100);
  stream(name);
  memset(name, 'n', 108);
  stream(name);
  stream("short");
  datagrams();
  other_addresses();
  CHECK(chdir("/") == 0 && rmdir(directory) == 0);
  DONE;
}
