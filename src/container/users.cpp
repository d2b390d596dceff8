#include "container/users.hpp"

#include <algorithm>
#include <limits>

#include "base/text.hpp"

namespace udk::container {
namespace {

std::optional<std::uint32_t> parse_id(std::string_view text) {
  auto value = parse_uint(text);
  // -1 means "no change" to the calls that set ids (setresuid(2)).
  if (!value || *value >= std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

// Any name that can stand in passwd(5): directory services have blanks no more than '@', '\' and '.'.
bool is_account_name(std::string_view name) {
  return !name.empty() && name.front() != '-' && std::none_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == 127 || c == ':' || c == '/' || c == ',';
  });
}
bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

struct Words {
  std::string user, group;
};

Result<Words> parse_request(const UserRequest& request) {
  auto parts = split(request.text, ':');
  bool good = parts.size() <= 2 && is_account_name(parts[0]) && (!is_number(parts[0]) || parse_id(parts[0]));
  Words words{std::string(parts[0]), parts.size() == 2 ? std::string(parts[1]) : ""};
  if (!words.group.empty())
    good = good && is_account_name(words.group) && (!is_number(words.group) || parse_id(words.group));
  if (good) return words;
  return fail(Code::usage, "invalid syntax for user " + request.text + (request.from_image ? " (of the image)" : "") +
                               ": NAME or UID expected, with :GROUP or :GID behind it if wanted");
}

// The user database that counts for a run.
class Accounts {
 public:
  Accounts(const UserRequest& request, const HostFacts& host)
      : users_(parse_passwd(request.passwd)),
        groups_(parse_group(request.group)),
        directory_(request.source == AccountSource::host ? &host.accounts : nullptr) {}

  [[nodiscard]] std::optional<PasswdEntry> user(std::string_view name) const {
    auto found = first(users_, [&](const auto& entry) { return entry.name == name; });
    if (!found && directory_ && directory_->user_by_name) return directory_->user_by_name(std::string(name));
    return found;
  }
  [[nodiscard]] std::optional<PasswdEntry> user(uid_t uid) const {
    auto found = first(users_, [&](const auto& entry) { return entry.uid == uid; });
    if (!found && directory_ && directory_->user_by_id) return directory_->user_by_id(uid);
    return found;
  }
  [[nodiscard]] std::optional<GroupEntry> group(std::string_view name) const {
    auto found = first(groups_, [&](const auto& entry) { return entry.name == name; });
    if (!found && directory_ && directory_->group_by_name) return directory_->group_by_name(std::string(name));
    return found;
  }
  [[nodiscard]] bool file_has_user(const PasswdEntry& user) const {
    return first(users_, [&](const auto& entry) { return entry.uid == user.uid && entry.name == user.name; })
        .has_value();
  }
  [[nodiscard]] bool file_has_group(gid_t gid) const {
    return first(groups_, [&](const auto& entry) { return entry.gid == gid; }).has_value();
  }
  [[nodiscard]] bool file_has_group(std::string_view name) const {
    return first(groups_, [&](const auto& entry) { return entry.name == name; }).has_value();
  }
  [[nodiscard]] std::vector<gid_t> groups_of(std::string_view name) const {
    std::vector<gid_t> out;
    for (const auto& group : groups_) {
      bool member = std::find(group.members.begin(), group.members.end(), name) != group.members.end();
      if (member && std::find(out.begin(), out.end(), group.gid) == out.end()) out.push_back(group.gid);
    }
    return out;
  }

 private:
  template <class Entry, class Match>
  static std::optional<Entry> first(const std::vector<Entry>& entries, const Match& match) {
    auto found = std::find_if(entries.begin(), entries.end(), match);
    return found == entries.end() ? std::nullopt : std::optional<Entry>(*found);
  }
  std::vector<PasswdEntry> users_;
  std::vector<GroupEntry> groups_;
  const HostAccounts* directory_;
};

// `host_account`: the invoking user, with the host's groups.
struct Found {
  PasswdEntry user;
  bool host_account = false;
};

Unexpected user_not_found(const UserRequest& request, std::string_view user) {
  std::string where =
      request.source == AccountSource::host ? "the host's user database" : "the container's /etc/passwd";
  std::string text =
      "user not found: " + std::string(user) + (request.from_image ? " (of the image)" : "") + ": not in " + where;
  text += request.source == AccountSource::container ? "; a numeric --user=UID:GID needs no entry"
                                                     : "; choose another --user";
  return fail(Code::not_found, std::move(text));
}

PasswdEntry unknown_account(const UserRequest& request, std::string name, uid_t uid, gid_t gid) {
  bool fits = request.new_home.find_first_of(":\n") == std::string::npos;
  return {std::move(name), "*UDOCKER*", fits ? request.new_home : "/", "/bin/sh", uid, gid};
}

Result<Found> find_user(const UserRequest& request, const std::string& user, const Accounts& accounts,
                        const HostFacts& host) {
  auto id = parse_id(user);
  if (auto entry = id ? accounts.user(*id) : accounts.user(user)) {
    return Found{*entry, request.source == AccountSource::host && entry->uid == host.uid};
  }
  if (user == "root" || id == 0U) {
    if (request.source != AccountSource::host) return Found{unknown_account(request, "root", 0, 0), false};
  }
  if (request.source == AccountSource::host || request.source == AccountSource::container_as_is)
    return user_not_found(request, user);
  if (id == host.uid || (!id && user == host.user_name)) {
    // The host's name for the invoking user, unless the container means somebody else by it.
    bool usable = is_account_name(host.user_name) && !accounts.user(host.user_name);
    return Found{unknown_account(request, usable ? host.user_name : user, host.uid, host.gid), true};
  }
  if (!id) return user_not_found(request, user);
  return Found{unknown_account(request, std::to_string(*id), *id, host.gid), false};
}

Result<gid_t> find_group(const UserRequest& request, const std::string& group, const Accounts& accounts) {
  if (auto id = parse_id(group)) return *id;
  if (auto entry = accounts.group(group)) return entry->gid;
  return fail(Code::not_found, "group not found: " + group + (request.from_image ? " (of the image)" : "") +
                                   ": not in the group file; a numeric GID needs no entry");
}

void append_line(std::string& text, const std::string& line) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  text += line + "\n";
}

std::string group_name(const Found& found, gid_t gid, const Accounts& accounts, const HostFacts& host) {
  auto free = [&](const std::string& name) {
    return is_account_name(name) && !is_number(name) && !accounts.file_has_group(name);
  };
  if (found.host_account && gid == host.gid && host.accounts.group_by_id) {
    auto entry = host.accounts.group_by_id(gid);
    if (entry && free(entry->name)) return entry->name;
  }
  return gid == found.user.gid && free(found.user.name) ? found.user.name : "G" + std::to_string(gid);
}

// The files with a line for the user and each of the groups that lack one.
void complete_files(const UserRequest& request, const Found& found, const Accounts& accounts, const HostFacts& host,
                    ResolvedUser& out) {
  bool whole_copy = request.source == AccountSource::host;
  std::string passwd = request.passwd;
  if (!accounts.file_has_user(found.user)) {
    const auto& user = found.user;
    append_line(passwd, user.name + ":x:" + std::to_string(user.uid) + ":" + std::to_string(user.gid) + ":" +
                            user.gecos + ":" + user.home + ":" + user.shell);
  }
  if (whole_copy || passwd != request.passwd) out.passwd = std::move(passwd);

  std::string group = request.group;
  if (!accounts.file_has_group(out.identity.gid)) {
    append_line(group,
                group_name(found, out.identity.gid, accounts, host) + ":x:" + std::to_string(out.identity.gid) + ":");
  }
  for (auto gid : out.identity.groups) {
    auto name = "G" + std::to_string(gid);
    if (gid == out.identity.gid || accounts.file_has_group(gid) || accounts.file_has_group(name)) continue;
    append_line(group, name + ":x:" + std::to_string(gid) + ":" + found.user.name);
  }
  if (whole_copy || group != request.group) out.group = std::move(group);
}

}  // namespace

Result<ResolvedUser> resolve_user(const UserRequest& request, const HostFacts& host) {
  Words words{"root", ""};
  if (!request.text.empty()) {
    TRY_ASSIGN(words, parse_request(request));
  }
  Accounts accounts(request, host);
  TRY_ASSIGN(auto found, find_user(request, words.user, accounts, host));
  ResolvedUser out{{found.user.uid, found.user.gid, {}}, found.user.name, found.user.home, found.user.shell, {}, {}};
  if (!out.home.starts_with('/')) out.home = "/";
  if (!words.group.empty()) {
    // Docker: with a group given there are no supplementary ones.
    TRY_ASSIGN(out.identity.gid, find_group(request, words.group, accounts));
  } else {
    out.identity.groups = found.host_account ? host.groups : accounts.groups_of(found.user.name);
  }
  if (request.source != AccountSource::container_as_is) complete_files(request, found, accounts, host, out);
  return out;
}

}  // namespace udk::container
