#include "store/keystore.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/random.hpp"
#include "base/scope.hpp"
#include "base/text.hpp"
#include "store/lock.hpp"
#include "store/python_json.hpp"

namespace udk::store {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t k_max_keystore = std::size_t{1} << 20;

std::string without_scheme(const std::string& url) {
  auto at = url.find("://");
  return at == std::string::npos ? url : url.substr(at + 3);
}

Result<ordered_json> read_keys(const std::string& path) {
  auto text = read_file(path, k_max_keystore);
  if (!text && text.error().code == Code::not_found) return ordered_json::object();
  if (!text) return fail(std::move(text).error().context("cannot read the credentials"));
  if (trim(*text).empty()) return ordered_json::object();
  auto keys = ordered_json::parse(*text, nullptr, false);
  if (!keys.is_object())
    return fail(Code::corrupt, path + ": not a file of credentials: remove it with logout -a and log in again");
  return keys;
}

// "" if there is none for this registry.
std::string key_for(const ordered_json& keys, const std::string& url) {
  if (keys.contains(url)) return url;
  std::string bare = without_scheme(url);
  return keys.contains(bare) ? bare : "";
}

// Credentials in a place that others control or read are no secret.
Result<> check_safe(const std::string& path) {
  std::string dir(path_dirname(path));
  TRY_ASSIGN(auto dir_stat, lstat_at(AT_FDCWD, dir));
  struct stat real {};
  if (!dir_stat || ::stat(dir.c_str(), &real) != 0) return fail(Code::not_found, dir + ": no such directory");
  if (real.st_uid != ::geteuid())
    return fail(Code::denied, dir + " belongs to somebody else: credentials are not kept there");
  TRY_ASSIGN(auto file, lstat_at(AT_FDCWD, path));
  if (!file) return {};
  if (!S_ISREG(file->st_mode) || file->st_uid != ::geteuid())
    return fail(Code::denied, path + " is not a file of yours: credentials are not kept there");
  if ((file->st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fail(Code::denied, path + " can be read by others: chmod 600 it first");
  return {};
}

// Over the old content, to the disk. A copy-on-write file system keeps the old blocks all the same.
void overwrite(const std::string& path) {
  auto fd = open_at(AT_FDCWD, path, O_WRONLY | O_NOFOLLOW);
  struct stat st {};
  if (!fd || ::fstat(fd->get(), &st) != 0 || !S_ISREG(st.st_mode)) return;
  std::string blanks(static_cast<std::size_t>(st.st_size), ' ');
  if (write_all(fd->get(), as_bytes(blanks))) (void)sync_fd(fd->get());
}

// For the time between reading and writing, so that two logins at once do not lose one.
Result<Lock> lock_keys(const std::string& path) {
  Waiting waiting{std::chrono::seconds(30), {}};
  return Lock::acquire(std::string(path_dirname(path)), std::string(path_basename(path)) + ".lock", LockMode::exclusive,
                       waiting, "the file of credentials");
}

Result<> write_keys(const std::string& path, const ordered_json& keys) {
  TRY_ASSIGN(std::string text, python_json_line(keys.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
  std::string staged = path + ".new-" + random_hex(6);
  TRY_ASSIGN(Fd fd, open_at(AT_FDCWD, staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  ScopeExit discard([&] { (void)unlink_at(AT_FDCWD, staged); });
  auto done = write_all(fd.get(), as_bytes(text));
  if (done) done = sync_fd(fd.get());
  if (!done) return fail(std::move(done).error().context("cannot store the credentials in " + path));
  // The old file's blocks are wiped only when the new one is complete: a link keeps them reachable.
  std::string old = path + ".old-" + random_hex(6);
  bool kept = ::link(path.c_str(), old.c_str()) == 0;
  ScopeExit drop_link([&] { (void)unlink_at(AT_FDCWD, old); });
  TRY(rename_at(AT_FDCWD, staged, AT_FDCWD, path));
  discard.release();
  if (kept) overwrite(old);
  return {};
}

// What processes that died have left of write_keys().
std::vector<std::string> leftovers(const std::string& path) {
  const std::string dir(path_dirname(path));
  const std::string name(path_basename(path));
  std::vector<std::string> out;
  auto names = list_dir(dir);
  for (const auto& entry : names ? *names : std::vector<std::string>()) {
    if (entry.starts_with(name + ".new-") || entry.starts_with(name + ".old-")) out.push_back(path_join(dir, entry));
  }
  return out;
}

// The lock is held: nobody is at work with them.
void sweep_keys(const std::string& path) {
  for (const auto& left : leftovers(path)) {
    struct stat st {};
    // A second name of the file that is in use, or the only one of a file that was.
    if (::lstat(left.c_str(), &st) == 0 && st.st_nlink == 1) overwrite(left);
    (void)unlink_at(AT_FDCWD, left);
  }
}

}  // namespace

Result<std::optional<Credential>> Keystore::lookup(const std::string& url) const {
  TRY_ASSIGN(ordered_json keys, read_keys(path_));
  std::string key = key_for(keys, url);
  if (key.empty()) return std::optional<Credential>();
  const ordered_json& entry = keys[key];
  auto auth = entry.is_object() && entry.contains("auth") && entry["auth"].is_string()
                  ? base64_decode(entry["auth"].get<std::string>())
                  : std::nullopt;
  auto colon = auth ? auth->find(':') : std::string::npos;
  if (colon == std::string::npos)
    return fail(Code::corrupt, path_ + ": the entry for " + printable(url) + " cannot be read: log in again");
  return std::optional(Credential{auth->substr(0, colon), Secret(auth->substr(colon + 1))});
}

Result<> Keystore::put(const std::string& url, const Credential& credential) const {
  if (credential.user.empty() || credential.user.find(':') != std::string::npos || credential.password.empty())
    return fail(Code::usage, "invalid credentials: a user name without ':' and a password are needed");
  TRY(make_dirs(std::string(path_dirname(path_)), 0700));
  TRY(check_safe(path_));
  TRY_ASSIGN(Lock lock, lock_keys(path_));
  sweep_keys(path_);
  TRY_ASSIGN(ordered_json keys, read_keys(path_));
  keys[url] = {{"auth", base64_encode(credential.user + ":" + credential.password.reveal())}, {"email", ""}};
  return write_keys(path_, keys);
}

Result<> Keystore::remove(const std::string& url) const {
  if (!exists(path_)) return fail(Code::not_found, "there are no credentials for " + printable(url));
  TRY_ASSIGN(Lock lock, lock_keys(path_));
  sweep_keys(path_);
  TRY_ASSIGN(ordered_json keys, read_keys(path_));
  std::string key = key_for(keys, url);
  if (key.empty()) return fail(Code::not_found, "there are no credentials for " + printable(url));
  TRY(check_safe(path_));
  keys.erase(key);
  return write_keys(path_, keys);
}

Result<> Keystore::clear() const {
  if (!exists(path_) && leftovers(path_).empty() && !exists(path_ + ".lock")) return {};
  TRY_ASSIGN(Lock lock, lock_keys(path_));
  sweep_keys(path_);
  if (!exists(path_)) return {};
  TRY(check_safe(path_));
  overwrite(path_);
  return unlink_at(AT_FDCWD, path_);
}

}  // namespace udk::store
