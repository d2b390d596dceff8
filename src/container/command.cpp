#include "container/command.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/path.hpp"
#include "base/text.hpp"

namespace udk::container {
namespace {

std::vector<std::string> blank_words(std::string_view text) {
  auto words = split_blank(text);
  return {words.begin(), words.end()};
}

// Why the file cannot be executed, or nothing.
Result<> check_executable(const GuestView& view, const std::string& path) {
  auto place = view.locate(path);
  if (!place) return fail(std::move(place).error());
  if (!place->status) return fail(Code::not_found, path + ": no such file");
  if (!S_ISREG(place->status->st_mode))
    return fail(Code::denied, path + (S_ISDIR(place->status->st_mode) ? ": is a directory" : ": not a regular file"));
  bool executable =
      (place->status->st_mode & 0111) != 0 && ::faccessat(AT_FDCWD, place->host.c_str(), X_OK, AT_EACCESS) == 0;
  return executable ? Result<>() : fail(Code::denied, path + ": no execute permission");
}

}  // namespace

CommandLine choose_command(const Metadata& metadata, const RunOptions& options, const Settings& settings) {
  CommandLine out;
  if (!options.entrypoint) {
    out.argv = metadata.entrypoint;
  } else {
    out.argv = blank_words(*options.entrypoint);
  }
  const auto& arguments = !options.words.empty() || options.entrypoint ? options.words : metadata.cmd;
  out.argv.insert(out.argv.end(), arguments.begin(), arguments.end());
  if (!out.argv.empty()) return out;
  return {settings.cmd, true};
}

Result<std::string> find_program(const GuestView& view, const std::string& name, const std::string& path,
                                 const std::string& cwd) {
  if (name.empty()) return fail(Code::not_found, "the command is an empty word");
  if (name.find('/') != std::string::npos) {
    auto file = name.starts_with('/') ? name : path_join(cwd, name);
    TRY(check_executable(view, file));
    return file;
  }
  // As execvp(3): the first executable counts; a file that cannot be executed is told only if there is none.
  Error refusal(Code::not_found, "not in PATH=" + path);
  for (auto part : split(path, ':')) {
    auto dir = part.starts_with('/') ? std::string(part) : path_join(cwd, part);
    auto file = path_join(dir, name);
    auto usable = check_executable(view, file);
    if (usable) return file;
    if (usable.error().code == Code::denied && refusal.code == Code::not_found) refusal = std::move(usable).error();
  }
  return fail(std::move(refusal));
}

std::string quoted_words(const std::vector<std::string>& words) {
  std::string out = "[";
  for (const auto& word : words) {
    if (out.size() > 1) out += ", ";
    char quote = word.find('\'') != std::string::npos && word.find('"') == std::string::npos ? '"' : '\'';
    out += quote;
    for (char c : word) {
      if (c == quote || c == '\\') out += '\\';
      out += c;
    }
    out += quote;
  }
  return out + "]";
}

}  // namespace udk::container
