#pragma once

#include <functional>

namespace udk::store::test {

// Runs `work` in a child that is killed (SIGKILL) just before its `step`-th system call that can change something on
// the disk (the first is 1), so that every state of the disk that a killed process can leave is seen. False: it came to
// its end before.
bool killed_at(int step, const std::function<void()>& work);

// Runs `work` in a child; its return value is the exit status, 255 if it died of a signal.
int in_child(const std::function<int()>& work);
// The same as an ordinary user: root becomes nobody (65534) in the child.
int as_ordinary_user(const std::function<int()>& work);

// Runs `work` in a child in which flock(2) fails with `error`, as on a file system without it.
int without_flock(int error, const std::function<int()>& work);

}  // namespace udk::store::test
