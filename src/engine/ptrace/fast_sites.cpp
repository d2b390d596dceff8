#include "engine/ptrace/fast_sites.hpp"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "engine/ptrace/call_stop.hpp"
#include "guest/runtime_image.hpp"

namespace udk::engine {
namespace {

constexpr std::size_t k_jump_size = 5;
constexpr std::size_t k_maps_limit = 1 << 22;

Word number(std::string_view text, int base = 16) {
  Word value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

bool contains(const std::vector<std::pair<Word, Word>>& ranges, Word address) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const auto& range) { return address >= range.first && address < range.second; });
}

// Code of a file, which the process has to itself and does not write to.
bool is_text(std::string_view line) {
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos || line.substr(blank + 1, 4) != "r-xp") return false;
  const std::size_t path = line.find('/');
  return path != std::string_view::npos && !line.substr(path).starts_with("/memfd:");
}

// Finds the mapping of an address; false: it is none that may be changed.
bool find_text(const Task& task, FastSpace& space, Word address) {
  if (contains(space.text, address)) return true;
  const auto maps = read_file("/proc/" + std::to_string(task.tid) + "/maps", k_maps_limit);
  if (!maps) return false;
  std::string_view rest = *maps;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t dash = line.find('-');
    if (dash == std::string_view::npos) continue;
    const Word from = number(line.substr(0, dash)), to = number(line.substr(dash + 1));
    if (address < from || address >= to) continue;
    if (is_text(line)) space.text.emplace_back(from, to);
    return is_text(line);
  }
  return false;
}

// Writes to code, too, as debuggers do.
bool write_text(const Task& task, Word address, const void* bytes, std::size_t size) {
  const Fd mem(::open(("/proc/" + std::to_string(task.tid) + "/mem").c_str(), O_RDWR | O_CLOEXEC));
  return mem && ::pwrite(mem.get(), bytes, size, static_cast<off_t>(address)) == static_cast<ssize_t>(size);
}

std::optional<Word> auxiliary(const Task& task, Word type) {
  std::array<Elf64_auxv_t, 64> entries{};
  const std::size_t size = std::min(task.memory->auxv_size, sizeof entries);
  if (read_memory(task.tid, task.memory->auxv, entries.data(), size) != 0) return std::nullopt;
  for (const auto& entry : entries)
    if (entry.a_type == type) return entry.a_un.a_val;
  return std::nullopt;
}

bool find_area(const Task& task, FastSpace& space) {
  if (space.area != 0) return true;
  if (space.area_behind == 0) {
    space.area = task.memory->loader + guest::k_trampolines_at;
    space.area_size = guest::k_trampolines_size;
    return true;
  }
  space.area = fast_area_of(task);
  space.area_size = k_fast_area_size;
  return space.area != 0;
}

// The `mov $VALUE, %register` in front of the system call instruction that ends at `behind`, if it is one.
struct Site {
  Word move = 0, call = 0;
  std::array<unsigned char, 8> bytes{};  // one in front, the instruction, the system call
};

// Its value is the one that the register had in the call: bytes of another instruction would hardly say so.
bool read_site(const Task& task, const Registers& given, Site& site) {
  site.call = given.rip - k_syscall_size;
  site.move = site.call - k_jump_size;
  if (read_memory(task.tid, site.move - 1, site.bytes.data(), site.bytes.size()) != 0) return false;
  constexpr unsigned char k_rex_mask = 0xf0, k_rex = 0x40;
  if ((site.bytes[0] & k_rex_mask) == k_rex || site.bytes[6] != 0x0f || site.bytes[7] != 0x05) return false;
  std::uint32_t value = 0;
  std::memcpy(&value, &site.bytes[2], sizeof value);
  switch (site.bytes[1]) {
    case 0xb8:
      return value == static_cast<std::uint32_t>(given.orig_rax);
    case 0xbf:
      return value == static_cast<std::uint32_t>(given.rdi);
    case 0xbe:
      return value == static_cast<std::uint32_t>(given.rsi);
    case 0xba:
      return value == static_cast<std::uint32_t>(given.rdx);
    default:
      return false;
  }
}

bool write_data(const Run& run, const Task& task, FastSpace& space) {
  guest::Data data{};
  const Word loader = task.memory->loader;
  data.busy_address = loader + guest::k_data_at + offsetof(guest::Data, busy);
  data.slots = loader + guest::k_slots_at;
  data.allowed = space.allowed ? 1 : 0;
  constexpr Word k_view_distance = 0x1000000;  // behind the loader, where nothing else of ours is
  data.view_address = loader + k_view_distance;
  const std::string& path = run.fast->path();
  if (path.size() >= sizeof data.view_path) return false;
  std::memcpy(data.view_path, path.c_str(), path.size() + 1);
  return write_object(task.tid, loader + guest::k_data_at, data) == 0;
}

// movabs $SITE, %rcx; jmp *(%rip); ENTRY, behind the instruction that was in the jump's place.
std::array<unsigned char, k_fast_trampoline_size> trampoline(const Site& site, Word entry) {
  std::array<unsigned char, k_fast_trampoline_size> code{};
  std::copy_n(site.bytes.begin() + 1, k_jump_size, code.begin());
  constexpr std::array<unsigned char, 2> k_load = {0x48, 0xb9};
  constexpr std::array<unsigned char, 6> k_jump = {0xff, 0x25, 0, 0, 0, 0};
  auto at = std::copy(k_load.begin(), k_load.end(), code.begin() + k_jump_size);
  std::memcpy(&*at, &site.call, sizeof site.call);
  at = std::copy(k_jump.begin(), k_jump.end(), at + sizeof site.call);
  std::memcpy(&*at, &entry, sizeof entry);
  return code;
}

void patch(const Run& run, Task& task, const Site& site) {
  FastSpace& space = task.memory->fast;
  const std::size_t offset = space.sites.size() * k_fast_trampoline_size;
  if (!find_area(task, space) || offset + k_fast_trampoline_size > space.area_size) return;
  const Word place = space.area + offset;
  const auto distance = static_cast<std::int64_t>(place - (site.move + k_jump_size));
  if (distance != static_cast<std::int32_t>(distance)) return;
  const Word entry = task.memory->loader + guest::k_runtime_at + guest::runtime_header().entry;
  const auto code = trampoline(site, entry);
  if (!space.ready && !write_data(run, task, space)) return;
  space.ready = true;
  if (!write_text(task, place, code.data(), code.size())) return;
  std::array<unsigned char, k_jump_size> jump = {0xe9};
  const auto near = static_cast<std::int32_t>(distance);
  std::memcpy(&jump[1], &near, sizeof near);
  space.sites.push_back(site.move);
  if (!write_text(task, site.move, jump.data(), jump.size())) space.sites.pop_back();
}

}  // namespace

Word fast_area_of(const Task& task) {
  const FastSpace& space = task.memory->fast;
  const auto base = space.area_behind == 0 ? std::nullopt : auxiliary(task, AT_BASE);
  return base && *base != 0 ? *base + space.area_behind : 0;
}

bool may_be_fast(const Run& run, const Task& task) {
  if (!task.fast || !task.fs->root.empty()) return false;
  if (!run.emulate_ids) return true;
  const Credentials& c = *task.credentials;
  return c.uid.real == 0 && c.uid.effective == 0 && c.uid.fs == 0 && has_capability(c, k_cap_dac_override);
}

void consider_site(Run& run, Task& task, const Registers& given) {
  FastSpace& space = task.memory->fast;
  if (!task.memory->has_stubs()) return;
  if (++space.calls < run.spec.fast_after || space.tried.count(given.rip) != 0) return;
  // Another thread could be about to execute what is changed.
  if (task.memory.use_count() != 1) return;
  if (!space.ready) space.allowed = may_be_fast(run, task);
  if (!space.allowed) return;
  space.tried.insert(given.rip);
  Site site;
  if (!read_site(task, given, site) || !find_text(task, space, site.move) || !contains(space.text, given.rip - 1))
    return;
  patch(run, task, site);
}

void check_fast(const Run& run, Task& task) {
  FastSpace& space = task.memory->fast;
  if (!space.ready || !space.allowed || may_be_fast(run, task)) return;
  space.allowed = false;
  constexpr std::uint64_t k_no = 0;
  write_object(task.tid, task.memory->loader + guest::k_data_at + offsetof(guest::Data, allowed), k_no);
}

}  // namespace udk::engine
