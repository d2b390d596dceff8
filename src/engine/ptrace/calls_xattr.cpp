#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "engine/ptrace/call_stop.hpp"

// Extended attributes that are only asked for (xattr(7)).
namespace udk::engine {
namespace {

constexpr std::size_t k_name_max = 255;     // XATTR_NAME_MAX
constexpr std::size_t k_value_max = 65536;  // XATTR_SIZE_MAX, XATTR_LIST_MAX

// Hands what was asked for to the guest. Size 0 only asks how much there is.
Next give(CallStop& stop, Word buffer, std::size_t room, ssize_t size, const std::vector<char>& data) {
  if (size < 0) return answer(stop, -errno);
  const int e = room == 0 ? 0 : write_memory(stop.task.tid, buffer, data.data(), static_cast<std::size_t>(size));
  return answer(stop, e != 0 ? e : size);
}

}  // namespace

Next on_xattr_call(CallStop& stop) {
  Run& run = stop.run;
  if (const int e = locate(stop, final_of(stop)); e != 0) return answer(stop, e);
  const char* host = run.at.host.c_str();
  const bool follow = run.at.kernel_link;
  const bool list = stop.call.op == xlate::Op::listxattr;
  const Word buffer = stop.arg(list ? 1 : 2);
  const auto room = static_cast<std::size_t>(std::min<Word>(stop.arg(list ? 2 : 3), k_value_max));
  std::vector<char>& data = run.data;
  data.resize(std::max(data.size(), room));
  if (list)
    return give(stop, buffer, room,
                follow ? ::listxattr(host, data.data(), room) : ::llistxattr(host, data.data(), room), data);
  char name[k_name_max + 1];
  std::size_t length = 0;
  const int e = read_text(stop.task.tid, stop.arg(1), name, sizeof name, length);
  if (e != 0) return answer(stop, e == -ENAMETOOLONG ? -ERANGE : e);
  return give(stop, buffer, room,
              follow ? ::getxattr(host, name, data.data(), room) : ::lgetxattr(host, name, data.data(), room), data);
}

}  // namespace udk::engine
