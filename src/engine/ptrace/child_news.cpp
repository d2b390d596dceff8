#include "engine/ptrace/child_news.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace udk::engine {

Result<ChildNews> ChildNews::create() {
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  ChildNews news;
  news.fd_.reset(::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!news.fd_) return fail_errno(errno, "signalfd");
  ::sigprocmask(SIG_BLOCK, &children, &news.old_);
  return news;
}

ChildNews::~ChildNews() {
  if (fd_) ::sigprocmask(SIG_SETMASK, &old_, nullptr);
}

bool ChildNews::wait(Listener& listener) {
  std::array<pollfd, 2> fds = {{{listener.fd(), POLLIN, 0}, {fd_.get(), POLLIN, 0}}};
  if (::poll(fds.data(), fds.size(), -1) < 0) return false;
  news_ = fds[1].revents != 0;
  if ((fds[0].revents & POLLIN) != 0) return true;
  if (fds[0].revents != 0) listener.close();
  return false;
}

bool ChildNews::take() {
  signalfd_siginfo info{};
  if (news_) (void)!::read(fd_.get(), &info, sizeof info);
  return std::exchange(news_, false);
}

}  // namespace udk::engine
