// Where the process is, what it watches, and sockets with names.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "calls.h"

static void tell_place(void) {
  static char text[2 * PATH_MAX];
  const size_t size = percent(85) ? sizeof text : below(12);
  say("getcwd(%zu)", size);
  const long returned = syscall(SYS_getcwd, text, size);
  result_text(returned, text);
}

// A place whose name is longer than any path that a call takes. (What is nearly as long is longer on the host.)
static void go_deep(void) {
  char name[NAME_MAX + 1];
  memset(name, 'D', NAME_MAX);
  name[NAME_MAX] = '\0';
  const unsigned most = 16 + below(8);
  unsigned depth = 0;
  for (; depth < most; ++depth) {
    mkdir(name, 0755);
    if (chdir(name) != 0) break;
  }
  say("to the depths = %u\n", depth);
}

void place_call(void) {
  const unsigned kind = below(100);
  const struct path path = choose_path();
  if (kind < 35) {
    say("chdir(%s)", path.shown);
    result_ok(syscall(SYS_chdir, path.text));
  } else if (kind < 50) {
    const int fd = choose_slot();
    say("fchdir(%s)", dir_text(fd));
    result_ok(syscall(SYS_fchdir, fd));
  } else if (kind < 72) {
    tell_place();
  } else if (kind < 97) {
    say("chdir(\"/w\")");
    result_ok(syscall(SYS_chdir, "/w"));
  } else if (kind < 98 && deep_run) {
    go_deep();
  } else {
    static const mode_t masks[] = {022, 0, 027, 02};
    say("umask");
    result(umask(masks[below(4)]));
  }
}

static long long address_of(struct sockaddr_un* address, const char* text, unsigned length) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, text, length);
  return (long long)offsetof(struct sockaddr_un, sun_path) + length;
}

static void say_address(const char* call, int fd, long (*ask)(int, struct sockaddr_un*, socklen_t*)) {
  struct {
    struct sockaddr_un address;
    char beyond[8];
  } room;
  memset(&room, 0, sizeof room);
  socklen_t length = percent(80) ? sizeof room.address : below(20);
  say("%s(%s, %u)", call, dir_text(fd), length);
  const socklen_t given = length;
  const long returned = ask(fd, &room.address, &length);
  if (returned == 0) say(" [family %d length %u]", given >= 2 ? room.address.sun_family : 0, length);
  if (returned == 0 && room.address.sun_family != AF_UNIX) return result_ok(returned);
  result_text(returned, room.address.sun_path);
}

static long own_name(int fd, struct sockaddr_un* address, socklen_t* length) {
  return syscall(SYS_getsockname, fd, address, length);
}
static long peer_name(int fd, struct sockaddr_un* address, socklen_t* length) {
  return syscall(SYS_getpeername, fd, address, length);
}

void socket_call(void) {
  const int fd = choose_slot();
  const unsigned kind = below(100);
  if (kind < 20) {
    say("socket");
    return result_fd(syscall(SYS_socket, AF_UNIX, SOCK_NONBLOCK | (percent(60) ? SOCK_STREAM : SOCK_DGRAM), 0));
  }
  if (kind < 30) {
    say("listen(%s)", dir_text(fd));
    return result_ok(syscall(SYS_listen, fd, 100));
  }
  if (kind < 45) return say_address("getsockname", fd, own_name);
  if (kind < 55) return say_address("getpeername", fd, peer_name);
  const struct path path = choose_target();
  struct sockaddr_un address;
  unsigned length = (unsigned)strlen(path.text);
  if (length > sizeof address.sun_path) length = sizeof address.sun_path;
  if (length < sizeof address.sun_path && percent(60)) ++length;  // the NUL may be counted
  const socklen_t size = (socklen_t)address_of(&address, path.text, length) + (percent(2) ? 20 : 0);
  if (length <= 1) return say("an address without a name left out\n");
  if (kind >= 80 && is_open_link(path.text)) return say("an open link left out\n");
  if (kind < 80) {
    say("bind(%s, %s, %u)", dir_text(fd), path.shown, size);
    return result_ok(syscall(SYS_bind, fd, &address, size));
  }
  if (kind < 95) {
    say("connect(%s, %s, %u)", dir_text(fd), path.shown, size);
    return result_ok(syscall(SYS_connect, fd, &address, size));
  }
  say("sendto(%s, %s, %u)", dir_text(fd), path.shown, size);
  result(syscall(SYS_sendto, fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT, &address, size));
}
