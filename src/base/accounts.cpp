#include "base/accounts.hpp"

#include <limits>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "base/text.hpp"

namespace udk {
namespace {

constexpr std::chrono::seconds k_getent_timeout{10};

std::optional<std::uint32_t> parse_id(std::string_view text) {
  auto value = parse_uint(text);
  if (!value || *value >= std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::string getent(const std::string& database, const std::string& key) {
  auto run = run_captured({"getent", database, key}, {k_getent_timeout});
  return run ? run->out : std::string();
}

template <class Entry, class Match>
std::optional<Entry> find_in(const std::vector<Entry>& entries, const Match& match) {
  for (const auto& entry : entries) {
    if (match(entry)) return entry;
  }
  return std::nullopt;
}

template <class Parse, class Match>
auto lookup(const std::string& database, const std::string& key, Parse parse, const Match& match) {
  auto text = read_file("/etc/" + database);
  auto found = find_in(parse(text ? *text : std::string()), match);
  return found ? found : find_in(parse(getent(database, key)), match);
}

}  // namespace

std::vector<PasswdEntry> parse_passwd(std::string_view text) {
  std::vector<PasswdEntry> entries;
  for (auto row : split(text, '\n')) {
    auto field = split(row, ':');
    if (field.size() < 7 || field[0].empty()) continue;
    auto uid = parse_id(field[2]);
    auto gid = parse_id(field[3]);
    if (!uid || !gid) continue;
    entries.push_back(
        {std::string(field[0]), std::string(field[4]), std::string(field[5]), std::string(field[6]), *uid, *gid});
  }
  return entries;
}

std::vector<GroupEntry> parse_group(std::string_view text) {
  std::vector<GroupEntry> entries;
  for (auto row : split(text, '\n')) {
    auto field = split(row, ':');
    if (field.size() < 4 || field[0].empty()) continue;
    auto gid = parse_id(field[2]);
    if (!gid) continue;
    GroupEntry entry{std::string(field[0]), *gid, {}};
    for (auto member : split(field[3], ',')) {
      if (!member.empty()) entry.members.emplace_back(member);
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::optional<PasswdEntry> host_user(uid_t uid) {
  return lookup("passwd", std::to_string(uid), parse_passwd, [&](const PasswdEntry& e) { return e.uid == uid; });
}
std::optional<PasswdEntry> host_user(const std::string& name) {
  return lookup("passwd", name, parse_passwd, [&](const PasswdEntry& e) { return e.name == name; });
}
std::optional<GroupEntry> host_group(gid_t gid) {
  return lookup("group", std::to_string(gid), parse_group, [&](const GroupEntry& e) { return e.gid == gid; });
}
std::optional<GroupEntry> host_group(const std::string& name) {
  return lookup("group", name, parse_group, [&](const GroupEntry& e) { return e.name == name; });
}

}  // namespace udk
