#include "engine/ptrace/exec_plan.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/ptrace/exec_problem.hpp"
#include "engine/ptrace/ownership.hpp"
#include "xlate/shebang.hpp"

namespace udk::engine {
namespace {

using xlate::ElfKind;
using xlate::Resolution;

constexpr std::size_t k_head_size = 4096;

struct Head {
  std::array<char, k_head_size> bytes{};
  std::size_t size = 0;
  [[nodiscard]] std::string_view view() const { return {bytes.data(), size}; }
};

// May this file be executed? Root needs one x bit, the user who runs udocker has the kernel's answer.
int check_executable(const CallStop& stop, int fd, const char* host) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return -errno;
  if (!S_ISREG(st.st_mode)) return -EACCES;
  struct statvfs fs {};
  if (::fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_NOEXEC) != 0) return -EACCES;
  if (stop.run.emulate_ids && stop.task.credentials->uid.effective == 0 && st.st_uid == stop.run.host_uid)
    return (st.st_mode & 0111) != 0 ? 0 : -EACCES;
  return ::access(host, X_OK) == 0 ? 0 : -errno;
}

// Linux refuses to execute what somebody has open for writing. A read lease is granted only if nobody has.
int check_not_written(int fd) {
  if (::fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
    ::fcntl(fd, F_SETLEASE, F_UNLCK);
    return 0;
  }
  return errno == EAGAIN ? -ETXTBSY : 0;  // file systems without leases, files of others: not known
}

int open_executable(const CallStop& stop, const Resolution& at, ExecFile& file, Head& head) {
  Fd fd(::open(at.host.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return errno == ENXIO ? -EACCES : -errno;
  if (const int e = check_executable(stop, fd.get(), at.host.c_str()); e != 0) return e;
  if (const int e = check_not_written(fd.get()); e != 0) return e;
  const ssize_t n = ::pread(fd.get(), head.bytes.data(), head.bytes.size(), 0);
  if (n < 0) return -errno;
  head.size = static_cast<std::size_t>(n);
  file.host = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd.get());
  file.file = std::move(fd);
  return 0;
}

// Headers of an opened ELF file.
int read_headers(ExecFile& file, const Head& head) {
  Abi abi = Abi::x86_64;
  const ElfKind kind = xlate::check_elf_header(head.bytes.data(), head.size, abi, file.header);
  if (kind != ElfKind::program) return -ENOEXEC;
  const std::size_t each = xlate::segment_size(abi);
  const std::size_t size = file.header.e_phnum * each;
  std::string bytes(size, '\0');
  if (file.header.e_phoff > head.size || size > head.size - file.header.e_phoff) {
    if (file.header.e_phoff > (std::uint64_t{1} << 62)) return -ENOEXEC;
    const ssize_t n = ::pread(file.file.get(), bytes.data(), size, static_cast<off_t>(file.header.e_phoff));
    if (n < 0 || static_cast<std::size_t>(n) != size) return -ENOEXEC;
  } else {
    std::memcpy(bytes.data(), head.bytes.data() + file.header.e_phoff, size);
  }
  file.segments.clear();
  for (std::size_t i = 0; i < file.header.e_phnum; ++i)
    file.segments.push_back(xlate::read_segment(abi, bytes.data() + i * each));
  return xlate::read_elf_image(abi, file.header, file.segments.data(), file.image) == ElfKind::program ? 0 : -ENOEXEC;
}

int read_interpreter_name(const ExecFile& file, PathText& name) {
  const std::size_t size = file.image.interp_size;
  if (size >= xlate::k_path_max) return -ENOEXEC;
  if (::pread(file.file.get(), name.data(), size, file.image.interp_offset) != static_cast<ssize_t>(size)) return -EIO;
  if (name.data()[size - 1] != '\0') return -ENOEXEC;
  name.set_size(std::strlen(name.data()));
  return 0;
}

// Opens the dynamic loader whose name is in run.text2.
int open_interpreter(CallStop& stop, ExecPlan& plan) {
  Run& run = stop.run;
  if (const int e = run.lookup.path(stop.task, AT_FDCWD, run.text2.view(), xlate::Final::follow, 0, run.at2); e != 0)
    return e;
  Head head;
  if (const int e = open_executable(stop, run.at2, plan.interpreter, head); e != 0) return e;
  const int e = read_headers(plan.interpreter, head);
  if (e == -ENOEXEC || (e == 0 && plan.interpreter.image.abi != plan.executable.image.abi)) return -ELIBBAD;
  return e;
}

// The set-id bits that the guest believes in. As with a container, only its own files have them.
void plan_set_id(CallStop& stop, const Resolution& at, ExecPlan& plan) {
  Run& run = stop.run;
  const FileName name = name_of(run, at);
  struct stat st {};
  if (!run.emulate_ids || run.owners.empty() || !name.kept || stop.task.credentials->no_new_privileges ||
      ::fstat(plan.executable.file.get(), &st) != 0)
    return;
  const container::FileOwner owner = belief_of(run, st, name).owner;
  if ((owner.mode & S_ISUID) != 0) plan.set_uid = owner.uid;
  if ((owner.mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP)) plan.set_gid = owner.gid;
}

int plan_interpreter(CallStop& stop, ExecPlan& plan, std::string_view program) {
  if (plan.executable.image.interp_size == 0) return 0;
  if (const int e = read_interpreter_name(plan.executable, stop.run.text2); e != 0) return e;
  const int e = open_interpreter(stop, plan);
  if (e != 0) plan.problem = loader_problem(program, stop.run.text2.view(), -e);
  return e;
}

// Replaces the words in front of a script's arguments; its path takes the place of argv[0].
void add_script(ExecPlan& plan, const xlate::Shebang& line, std::string_view script) {
  std::vector<std::string> front{std::string(line.interpreter)};
  if (!line.argument.empty()) front.emplace_back(line.argument);
  front.emplace_back(script);
  if (!plan.front.empty()) front.insert(front.end(), plan.front.begin() + 1, plan.front.end());
  plan.front = std::move(front);
}

const LoaderImage* choose_loader(Run& run, const ExecFile& program) {
  const xlate::ElfImage& image = program.image;
  if (image.position_independent) return run.loaders.choose(image.abi, 0, 0);
  return run.loaders.choose(image.abi, image.low, image.high);
}

}  // namespace

int make_exec_plan(CallStop& stop, const Resolution& first, std::string_view text, ExecPlan& plan) {
  Run& run = stop.run;
  const Resolution* at = &first;
  plan.exec_name = text;
  plan.comm = std::string(text.substr(text.rfind('/') + 1));
  std::string name(text);
  std::string script;  // that named it
  for (unsigned depth = 0;; ++depth) {
    Head head;
    if (const int e = open_executable(stop, *at, plan.executable, head); e != 0) {
      if (depth > 0) plan.problem = interpreter_problem(script, name, -e);
      return e;
    }
    if (head.view().substr(0, 2) != "#!") {
      if (const int e = read_headers(plan.executable, head); e != 0) {
        plan.problem = format_problem(name, head.view());
        return e;
      }
      plan_set_id(stop, *at, plan);
      break;
    }
    if (depth == xlate::k_shebang_depth) {
      plan.problem = interpreter_problem(script, name, ELOOP);
      return -ELOOP;
    }
    const xlate::Shebang line = xlate::parse_shebang(head.view());
    if (!line.valid) {
      plan.problem = format_problem(name, head.view());
      return -ENOEXEC;
    }
    add_script(plan, line, name);
    script = std::exchange(name, std::string(line.interpreter));
    if (const int e = run.lookup.path(stop.task, AT_FDCWD, name, xlate::Final::follow, 0, run.at2); e != 0) {
      plan.problem = interpreter_problem(script, name, -e);
      return e;
    }
    at = &run.at2;
  }
  if (at->named() && !at->kernel_link) {
    plan.program = at->guest.view();
  } else if (PathText target; run.lookup.link_text(stop.task, *at, target) == 0) {
    plan.program = target.view();
  }
  if (const int e = plan_interpreter(stop, plan, name); e != 0) return e;
  plan.loader = choose_loader(run, plan.executable);
  return plan.loader == nullptr ? -ENOMEM : 0;
}

}  // namespace udk::engine
