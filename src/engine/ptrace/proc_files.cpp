#include "engine/ptrace/proc_files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "base/file.hpp"

namespace udk::engine {
namespace {

constexpr std::size_t k_file_max = std::size_t{64} << 20;

std::string_view take_part(std::string_view& rest) {
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view part = rest.substr(0, slash);
  rest.remove_prefix(std::min(slash + 1, rest.size()));
  return part;
}

bool take_number(std::string_view& rest, pid_t& value) {
  const std::string_view part = take_part(rest);
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
  return error == std::errc() && end == part.data() + part.size() && value > 0;
}

// A file without a name; where the kernel has no memfd_create (Linux < 3.17) one whose name is gone.
Fd nameless_file(const char* name) {
  Fd fd(::memfd_create(name, MFD_CLOEXEC));
  if (fd) return fd;
  const char* dir = std::getenv("TMPDIR");
  std::string path = std::string(dir == nullptr || *dir == '\0' ? "/tmp" : dir) + "/udocker-proc-XXXXXX";
  fd.reset(::mkostemp(path.data(), O_CLOEXEC));
  if (fd) ::unlink(path.c_str());
  return fd;
}

// The login uid is a number that a session sets once; as root the guest may.
std::optional<std::string> login_uid(const CallStop& stop, const Task& task, bool writes) {
  if (!stop.run.emulate_ids) return std::nullopt;
  if (!writes && !task.credentials->login_uid) return std::nullopt;
  if (!writes) return read_file("/proc/self/fd/" + std::to_string(task.credentials->login_uid->get()), 64).value_or("");
  return std::string();
}

std::optional<std::string> content_of(CallStop& stop, const ProcFile& file, const Task& task) {
  const auto from_host = [&](std::string_view name) {
    return read_file(
        "/proc/" + std::to_string(file.process) + "/task/" + std::to_string(file.thread) + "/" + std::string(name),
        k_file_max);
  };
  const Run& run = stop.run;
  const auto changed = [&](auto change) {
    const auto text = from_host(file.name);
    return text ? change(task, *text) : std::nullopt;
  };
  if (file.name == "comm") return changed(proc_comm);
  if (file.name == "stat")
    return changed(
        [&](const Task& of, const std::string& text) { return proc_stat(of, file.process == stop.task.tgid, text); });
  if (file.name == "auxv") return changed(proc_auxv);
  if (file.name == "status") {
    const auto text = from_host(file.name);
    return text ? std::optional(proc_status(run, task, *text)) : std::nullopt;
  }
  if (file.name == "maps" || file.name == "smaps" || file.name == "numa_maps") {
    const auto text = from_host(file.name);
    return text ? std::optional(proc_maps(run, task, *text)) : std::nullopt;
  }
  std::optional<MountsForm> form;
  if (file.name == "mounts") form = MountsForm::mounts;
  if (file.name == "mountinfo") form = MountsForm::mountinfo;
  if (file.name == "mountstats") form = MountsForm::mountstats;
  if (!form) return std::nullopt;
  const auto text = from_host("mountinfo");
  return text ? std::optional(proc_mounts(run, *text, *form)) : std::nullopt;
}

}  // namespace

std::optional<ProcFile> ProcFile::parse(std::string_view host) {
  constexpr std::string_view proc = "/proc/";
  if (!host.starts_with(proc)) return std::nullopt;
  std::string_view rest = host.substr(proc.size());
  ProcFile file;
  if (!take_number(rest, file.process)) return std::nullopt;
  file.thread = file.process;
  if (rest.starts_with("task/")) {
    (void)take_part(rest);
    if (!take_number(rest, file.thread)) return std::nullopt;
  }
  file.name = rest;
  return file;
}

std::optional<std::string> proc_file_for(CallStop& stop, unsigned open_flags) {
  const xlate::Resolution& at = stop.run.at;
  if ((open_flags & (O_PATH | O_DIRECTORY)) != 0 || at.kernel_link || !at.host.view().starts_with("/proc/"))
    return std::nullopt;
  const auto file = ProcFile::parse(at.host.view());
  if (!file) return std::nullopt;
  Task* task = stop.run.tasks.find(file->thread);
  if (task == nullptr || !task->known) task = stop.run.tasks.find_process(file->process);
  if (task == nullptr) return std::nullopt;
  const bool writes = (open_flags & O_ACCMODE) != O_RDONLY;
  const bool login = file->name == "loginuid";
  if (writes && !login) return std::nullopt;
  const auto content = login ? login_uid(stop, *task, writes) : content_of(stop, *file, *task);
  if (!content) return std::nullopt;
  auto made = std::make_shared<Fd>(nameless_file(std::string(file->name).c_str()));
  if (!*made || !write_all(made->get(), as_bytes(*content))) return std::nullopt;
  if (login && writes) {
    auto credentials = std::make_shared<Credentials>(*task->credentials);
    credentials->login_uid = made;
    task->credentials = std::move(credentials);
  }
  stop.task.opened = made;
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(made->get());
}

}  // namespace udk::engine
