#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "engine/ptrace/group_stop.hpp"
#include "engine/ptrace/proc_files.hpp"

// /proc/PID/status: ids, groups and capabilities as emulated, and no trace of the tracer and its filter.
namespace udk::engine {
namespace {

std::string four(const Ids& ids) {
  return std::to_string(ids.real) + '\t' + std::to_string(ids.effective) + '\t' + std::to_string(ids.saved) + '\t' +
         std::to_string(ids.fs);
}

std::string bits(std::uint64_t set) {
  char text[24];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(set));
  return text;
}

// The value of a field if it is another one than the kernel's.
std::optional<std::string> emulated_value(const Credentials& c, std::string_view field) {
  if (field == "Uid") return four(c.uid);
  if (field == "Gid") return four(c.gid);
  if (field == "CapInh") return bits(c.caps.inheritable);
  if (field == "CapPrm") return bits(c.caps.permitted);
  if (field == "CapEff") return bits(c.caps.effective);
  if (field == "CapBnd") return bits(c.caps.bounding);
  if (field == "CapAmb") return bits(c.caps.ambient);
  if (field != "Groups") return std::nullopt;
  std::string groups;
  for (const gid_t gid : c.groups) groups += std::to_string(gid) + ' ';
  return groups.empty() ? std::string(" ") : groups;
}

// How many seccomp filters the guest has installed itself; nullopt where Linux does not tell (before 5.9).
std::optional<unsigned> own_filters(const Run& run, const std::string& status) {
  constexpr std::string_view field = "\nSeccomp_filters:\t";
  const std::size_t at = status.find(field);
  if (at == std::string::npos) return std::nullopt;
  unsigned count = 0;
  std::from_chars(status.data() + at + field.size(), status.data() + status.size(), count);
  return run.filtered && count > 0 ? count - 1 : count;
}

std::optional<std::string> value_of(const Run& run, const Task& task, std::string_view field, std::string_view value,
                                    std::optional<unsigned> filters) {
  if (field == "Name") return starting_name(task, value);
  if (field == "State" && (value.starts_with('t') || value.starts_with('T')))
    return is_stopped(task) ? "T (stopped)" : "R (running)";
  if (field == "TracerPid") return value == std::to_string(::getpid()) ? std::optional<std::string>("0") : std::nullopt;
  if (field == "NoNewPrivs") return task.credentials->no_new_privileges ? "1" : "0";
  if (field == "Seccomp" && run.filtered && filters.value_or(0) == 0) return "0";
  if (field == "Seccomp_filters" && filters) return std::to_string(*filters);
  return run.emulate_ids ? emulated_value(*task.credentials, field) : std::nullopt;
}

}  // namespace

std::string proc_status(const Run& run, const Task& task, const std::string& host_text) {
  std::string out;
  out.reserve(host_text.size());
  const auto filters = own_filters(run, host_text);
  std::string_view rest = host_text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t colon = line.find(":\t");
    const std::string_view field = line.substr(0, std::min(colon, line.size()));
    const auto value =
        colon == std::string_view::npos ? std::nullopt : value_of(run, task, field, line.substr(colon + 2), filters);
    if (value)
      out.append(field).append(":\t").append(*value);
    else
      out.append(line);
    out += '\n';
  }
  return out;
}

}  // namespace udk::engine
