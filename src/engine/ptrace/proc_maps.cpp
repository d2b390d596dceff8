#include "engine/ptrace/proc_files.hpp"

#include <charconv>

// /proc/PID/maps, smaps and numa_maps: names of mapped files as the guest knows them, without the loader's own pages.
namespace udk::engine {
namespace {

constexpr std::string_view k_deleted_mark = " (deleted)";

// Where in a line the path begins: the sixth field of maps and smaps, behind "file=" in numa_maps.
std::size_t path_at(std::string_view line) {
  if (const std::size_t file = line.find(" file="); file != std::string_view::npos) return file + 6;
  std::size_t at = 0;
  for (int field = 0; field < 5; ++field) {
    at = line.find(' ', at);
    if (at == std::string_view::npos) return line.size();
    at = line.find_first_not_of(' ', at);
    if (at == std::string_view::npos) return line.size();
  }
  return at;
}

Word begin_of(std::string_view line) {
  Word value = 0;
  std::from_chars(line.data(), line.data() + line.size(), value, 16);
  return value;
}

// Fields of smaps about one mapping begin with a capital letter and a name that ends in a colon.
bool is_detail(std::string_view line) { return !line.empty() && line[0] >= 'A' && line[0] <= 'Z'; }

std::string guest_path_of(const Run& run, const Task& task, std::string_view host) {
  const bool deleted = host.ends_with(k_deleted_mark);
  xlate::GuestPath guest;
  if (!run.lookup.guest_name(task, deleted ? host.substr(0, host.size() - k_deleted_mark.size()) : host, guest))
    return std::string(host);
  return std::string(guest.empty() ? "/" : guest.view()) + std::string(deleted ? k_deleted_mark : "");
}

}  // namespace

std::string proc_maps(const Run& run, const Task& task, const std::string& host_text) {
  std::string out;
  out.reserve(host_text.size());
  std::string_view rest = host_text;
  const Word area = fast_area_of(task);
  bool hidden = false;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const bool detail = is_detail(line);
    const std::size_t at = detail ? line.size() : path_at(line);
    if (!detail) hidden = line.substr(at).starts_with("/memfd:udocker-") || (area != 0 && begin_of(line) == area);
    if (hidden) continue;
    out.append(line.substr(0, at));
    if (at < line.size() && line[at] == '/')
      out += guest_path_of(run, task, line.substr(at));
    else
      out.append(line.substr(at));
    out += '\n';
  }
  return out;
}

}  // namespace udk::engine
