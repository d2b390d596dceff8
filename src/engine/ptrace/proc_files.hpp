#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/ptrace/call_stop.hpp"

// Files of /proc that tell about the guest and would tell the host's view: what the guest shall read instead is made
// when it opens them. Host paths in them become the guest's, ids and capabilities those that it believes in.
namespace udk::engine {

// A file "/proc/PID/NAME" or "/proc/PID/task/TID/NAME".
struct ProcFile {
  pid_t process = 0;
  pid_t thread = 0;
  std::string_view name;
  static std::optional<ProcFile> parse(std::string_view host);
};

// Where the guest shall open in place of the located run.at: a file with the right content, held by the task until its
// next call; nullopt: the file is the right one.
std::optional<std::string> proc_file_for(CallStop& stop, unsigned open_flags);

// The name of a program that is being started, if the kernel still shows that of our loader: `shown`.
std::optional<std::string> starting_name(const Task& task, std::string_view shown);

// The content of each; nullopt: the kernel's is the right one.
std::optional<std::string> proc_comm(const Task& task, const std::string& host_text);
std::optional<std::string> proc_stat(const Task& task, bool own, const std::string& host_text);
std::optional<std::string> proc_auxv(const Task& task, const std::string& host_bytes);
std::string proc_status(const Run& run, const Task& task, const std::string& host_text);
std::string proc_maps(const Run& run, const Task& task, const std::string& host_text);
enum class MountsForm : unsigned char { mounts, mountinfo, mountstats };
std::string proc_mounts(const Run& run, const std::string& host_mountinfo, MountsForm form);

}  // namespace udk::engine
