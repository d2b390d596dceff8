#include "container/environment.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/fd.hpp"
#include "base/text.hpp"

namespace udk::container {
namespace {

using Pair = std::pair<std::string, std::string>;

constexpr std::size_t k_max_env_file = std::size_t{16} << 20;
constexpr std::string_view k_blank = " \t\r\v\f";
constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

std::optional<Pair> cut(std::string_view item) {
  auto equals = item.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  return Pair(item.substr(0, equals), item.substr(equals + 1));
}

bool is_name(std::string_view key) {
  return !key.empty() && key.find_first_of(" \t\r\n\v\f") == std::string_view::npos &&
         key.find('\0') == std::string_view::npos && !(key.front() >= '0' && key.front() <= '9');
}

Environment host_environment(const HostFacts& host) {
  Environment out;
  for (const auto& item : host.environment) {
    if (auto pair = cut(item); pair && !pair->first.empty()) out.set(std::move(pair->first), std::move(pair->second));
  }
  return out;
}

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Fills an Environment from items, and says which ones it could not use.
class Collector {
 public:
  Collector(const HostFacts& host, std::vector<Notice>& notices) : host_(host_environment(host)), notices_(notices) {}

  void add_image_item(const std::string& item) {
    auto pair = cut(item);
    bool usable = pair && is_name(pair->first) && pair->second.find('\0') == std::string::npos;
    if (!usable) return drop(log::Level::debug, item, "the image");
    variables.set(std::move(pair->first), std::move(pair->second));
  }

  // One -e: a name alone takes the host's value; where the host has none the variable is unset, as docker does.
  void add_option_item(const std::string& item) {
    auto pair = cut(item);
    std::string key(trim(pair ? pair->first : item));
    if (!is_name(key)) return drop(log::Level::warning, item, "--env");
    auto value = pair ? std::optional(pair->second) : host_.get(key);
    if (value) {
      variables.set(std::move(key), std::move(*value));
    } else {
      variables.erase(key);
    }
  }

  // One line of an env file: no quoting, no continuation; "#" starts a comment line.
  void add_file_line(std::string_view line, const std::string& where) {
    while (!line.empty() && k_blank.find(line.front()) != std::string_view::npos) line.remove_prefix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') return;
    auto pair = cut(line);
    std::string key(trim(pair ? std::string_view(pair->first) : line));
    if (!is_name(key)) return drop(log::Level::warning, line, where);
    // "A = b" is not docker's syntax but the Python tool's, which trims both sides.
    bool spaced = pair && pair->first.size() != key.size();
    auto value = pair ? std::optional(spaced ? std::string(trim(pair->second)) : pair->second) : host_.get(key);
    if (value) variables.set(std::move(key), std::move(*value));
  }

  Environment variables;

 private:
  void drop(log::Level level, std::string_view item, const std::string& where) {
    notices_.push_back({level, "environment of " + where + ": '" + std::string(item) + "' is no variable, ignored"});
  }
  Environment host_;
  std::vector<Notice>& notices_;
};

// Named by the user, so a pipe is waited for; a signal ends the waiting.
Result<std::string> read_env_file(const std::string& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return fail_errno(errno, file);
  std::string out;
  std::array<char, 65536> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
  for (;;) {
    auto got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0) return fail_errno(errno, file);
    if (got == 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(got));
    if (out.size() > k_max_env_file)
      return fail(Code::usage, file + ": larger than the " + std::to_string(k_max_env_file) + " bytes allowed");
  }
}

Result<> add_file(const std::string& file, Collector& collector) {
  auto text = read_env_file(file);
  if (!text) {
    auto error = std::move(text).error().context("--env-file");
    error.text += " (give the name of a file that can be read)";
    return fail(std::move(error));
  }
  std::string_view rest = *text;
  if (rest.starts_with(k_byte_order_mark)) rest.remove_prefix(k_byte_order_mark.size());
  if (rest.find('\0') != std::string_view::npos)
    return fail(Code::usage,
                "--env-file: " + file + ": holds NUL characters, so it is no text file of KEY=VALUE lines");
  std::size_t number = 0;
  for (auto line : split(rest, '\n')) collector.add_file_line(line, fmt::format("{} line {}", file, ++number));
  return {};
}

}  // namespace

void Environment::set(std::string key, std::string value) {
  for (auto& [name, old] : variables_) {
    if (name != key) continue;
    old = std::move(value);
    return;
  }
  variables_.emplace_back(std::move(key), std::move(value));
}

void Environment::erase(std::string_view key) {
  std::erase_if(variables_, [&](const Pair& pair) { return pair.first == key; });
}

std::optional<std::string> Environment::get(std::string_view key) const {
  for (const auto& [name, value] : variables_) {
    if (name == key) return value;
  }
  return std::nullopt;
}

std::vector<std::string> Environment::list() const {
  std::vector<std::string> out;
  out.reserve(variables_.size());
  for (const auto& [name, value] : variables_) out.push_back(fmt::format("{}={}", name, value));
  return out;
}

Result<Environment> container_environment(const Metadata& metadata, const RunOptions& options, const HostFacts& host,
                                          std::vector<Notice>& notices) {
  Collector collector(host, notices);
  for (const auto& item : metadata.env) collector.add_image_item(item);
  for (const auto& file : options.env_files) TRY(add_file(file, collector));
  for (const auto& item : options.env) collector.add_option_item(item);
  return std::move(collector.variables);
}

Environment complete_environment(Environment container_variables, const ResolvedUser& user,
                                 const ContainerInfo& container, const RunOptions& options, const Settings& settings,
                                 const HostFacts& host) {
  Environment out;
  auto host_variables = host_environment(host);
  for (const auto& [key, value] : host_variables.variables()) {
    if (!options.host_env && !contains(settings.valid_host_env, key)) continue;
    if (!contains(settings.invalid_host_env, key)) out.set(key, value);
  }
  if (container_variables.get("PATH").value_or("").empty())
    container_variables.set("PATH", user.identity.uid == 0 ? settings.root_path : settings.user_path);
  if (!container_variables.has("HOME")) container_variables.set("HOME", user.home);
  for (const auto& [key, value] : container_variables.variables()) out.set(key, value);

  for (const char* key : {"USER", "LOGNAME", "USERNAME"}) out.set(key, user.name);
  out.set("PS1", container.id.substr(0, 8) + (user.identity.uid == 0 ? "#" : "\\$"));
  out.set("SHLVL", "0");
  out.set("container_ruser", host.user_name);
  out.set("container_root", container.root);
  out.set("container_uuid", container.id);
  out.set("container_execmode", container.mode);
  out.set("container_names", join(container.names, ","));
  return out;
}

}  // namespace udk::container
