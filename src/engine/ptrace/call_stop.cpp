#include "engine/ptrace/call_stop.hpp"

#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "engine/ptrace/ownership.hpp"

namespace udk::engine {

using xlate::Effect;
using xlate::Final;
using xlate::Follow;

namespace {
// Programs may use this much memory below the stack pointer without telling (x86-64 ABI).
constexpr Word k_red_zone = 128;
// Where data goes that has no slot.
constexpr std::size_t k_stack_area = 16384;
}  // namespace

// An i386 call of a 64-bit program cannot name memory beyond 4 GiB.
bool can_point_to(const CallStop& stop, Word address) { return as_word(stop.abi, address) == address; }

int CallStop::dir_arg(int i) { return i < 0 ? AT_FDCWD : int_arg(i); }

Next answer(CallStop& stop, long result) {
  stop.regs.orig_rax = ~Word{0};
  stop.regs.rax = static_cast<Word>(result);
  return Next::answer;
}

int fetch_path(CallStop& stop, int index, PathText& text) {
  std::size_t length = 0;
  const int e = read_text(stop.task.tid, stop.arg(index), text.data(), xlate::k_path_max, length);
  if (e == 0) text.set_size(length);
  return e;
}

Final final_of(CallStop& stop) {
  const unsigned flags = stop.flags();
  bool keep = false;
  switch (stop.call.follow) {
    case Follow::always:
      return Final::follow;
    case Follow::never:
      return Final::keep;
    case Follow::name:
      return Final::parent;
    case Follow::open_flags:
      keep = (flags & O_NOFOLLOW) != 0 || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
      break;
    case Follow::unless_nofollow:
      keep = (flags & AT_SYMLINK_NOFOLLOW) != 0;
      break;
    case Follow::if_follow:
      keep = (flags & AT_SYMLINK_FOLLOW) == 0;
      break;
    case Follow::inotify_flags:
      keep = (flags & IN_DONT_FOLLOW) != 0;
      break;
    case Follow::fanotify_flags:
      keep = (flags & FAN_MARK_DONT_FOLLOW) != 0;
      break;
  }
  return keep ? Final::keep : Final::follow;
}

int locate(CallStop& stop, Final final) {
  Run& run = stop.run;
  if (const int e = fetch_path(stop, stop.call.path, run.text); e != 0) return e;
  const int e = run.lookup.path(stop.task, stop.dir_arg(stop.call.dir), run.text.view(), final, 0, run.at);
  return e != 0 ? e : check_recorded_folder(stop, run.at, X_OK);
}

Word put_scratch(CallStop& stop, const void* data, std::size_t size, std::size_t offset) {
  if (offset + size <= k_slot_size) {
    const Word slot = scratch_of(stop.task);
    if (slot != 0 && can_point_to(stop, slot) && write_memory(stop.task.tid, slot + offset, data, size) == 0)
      return slot + offset;
  }
  // No slot (more threads than slots, or the guest unmapped them), or not enough room: below the stack, as a function
  // call would use it.
  const std::size_t room = offset + size <= k_stack_area ? k_stack_area - offset : k_stack_area + size;
  const Word below = (stop.regs.rsp - k_red_zone - room) & ~Word{15};
  return can_point_to(stop, below) && write_memory(stop.task.tid, below, data, size) == 0 ? below : 0;
}

Next run_with_path(CallStop& stop, int index, std::string_view host) {
  const Word place = put_scratch(stop, host.data(), host.size() + 1);
  return place == 0 ? answer(stop, -EFAULT) : run_with_pointer(stop, index, place);
}

Next run_with_pointer(CallStop& stop, int index, Word pointer) {
  stop.task.at_entry = stop.regs;
  const AddressSpace& memory = *stop.task.memory;
  const Word own = stop.arg(index);
  stop.set_arg(index, pointer);
  if (stop.abi != Abi::x86_64 || !memory.has_stubs() || stop.task.slot < 0) return Next::watch;
  stop.regs.rcx = stop.regs.rip;
  stop.regs.r11 = own;
  stop.regs.rip = LoaderImage::stub(memory.loader, index);
  return Next::run;
}

const char* path_to_error(int error) {
  static const std::string long_name = "/" + std::string(256, 'x');
  static const std::string many_links = [] {
    std::string path = "/proc";
    for (unsigned n = 0; n <= xlate::k_link_limit; ++n) path += "/self/..";
    return path;
  }();
  switch (error) {
    case -ENOENT:
      return "/proc/none/none";
    case -ENOTDIR:
      return "/proc/version/none";
    case -EADDRINUSE:
      return "/proc/version";
    case -ELOOP:
      return many_links.c_str();
    case -ENAMETOOLONG:
      return long_name.c_str();
    default:
      return nullptr;
  }
}

Next run_with_error(CallStop& stop, int index, int error) {
  const char* path = path_to_error(error);
  return path == nullptr ? answer(stop, error) : run_with_path(stop, index, path);
}

int stat_name(const xlate::Resolution& at, struct stat& st) {
  return ::lstat(without_slashes(at.host.view()).c_str(), &st) == 0 ? 0 : -errno;
}

bool read_only_name(const Run& run, const xlate::Resolution& at) { return run.lookup.table()[at.name_mount].read_only; }

int check_new_name(CallStop& stop, const xlate::Resolution& at, bool directory) {
  if (const int wrong = stop.run.lookup.check_parent(at); wrong != 0) return wrong;
  if (at.last != xlate::Last::name || (at.mount_point && at.named())) return -EEXIST;
  struct stat st {};
  const int e = stat_name(at, st);
  if (e != -ENOENT) return e == 0 ? -EEXIST : e;
  if (stop.run.lookup.is_removed_parent(at)) return -ENOENT;
  if (at.trailing_slash && !directory) return -ENOENT;
  return read_only_name(stop.run, at) ? -EROFS : 0;
}

int check_folder_change(CallStop& stop, const xlate::Resolution& at, bool there) {
  const int e = check_recorded_folder(stop, at, W_OK | X_OK);
  struct stat st {};
  return e != 0 && (stat_name(at, st) == 0) == there ? e : 0;
}

int check_effect(CallStop& stop, const xlate::Resolution& at) {
  switch (stop.call.effect) {
    case Effect::none:
    case Effect::remove:  // calls_name.cpp
      return 0;
    case Effect::change: {
      if (!stop.run.lookup.table()[at.mount].read_only) return 0;
      struct stat st {};
      if ((at.kernel_link ? ::stat : ::lstat)(at.host.c_str(), &st) != 0) return -errno;
      if (stop.call.op == xlate::Op::truncate && !S_ISREG(st.st_mode)) return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
      return -EROFS;
    }
    case Effect::create:
      if (read_only_name(stop.run, at)) return check_new_name(stop, at, stop.call.op == xlate::Op::mkdir);
      return check_folder_change(stop, at, false);
  }
  return 0;
}

}  // namespace udk::engine
