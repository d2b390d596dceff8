#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "engine/engine.hpp"

// Runs one program in a root directory with the engine, for tests and for trying by hand:
//   engine_run [-v HOST:GUEST[:ro]] [-u UID:GID] [-w DIR] [-e NAME=VALUE] [-k RELEASE] [-i INTERCEPTION] ROOT PROGRAM
//   [ARGUMENT...]
// INTERCEPTION is notify (the default), stops or plain (engine.hpp).
// Exit status as a shell's: 128 + n for a signal, 126 or 127 if the program did not begin.
namespace {

bool take_option(udk::container::RunSpec& spec, udk::engine::EngineChoice& choice, const std::string& option,
                 const char* value) {
  if (value == nullptr) return false;
  const std::string text = value;
  const std::size_t colon = text.find(':');
  if (option == "-v") {
    udk::container::Bind bind{text.substr(0, colon), text.substr(colon + 1)};
    if (bind.guest.ends_with(":ro")) {
      bind.guest.resize(bind.guest.size() - 3);
      bind.access = udk::container::Access::read_only;
    }
    spec.binds.push_back(bind);
  } else if (option == "-u") {
    spec.identity.uid = static_cast<uid_t>(std::stoul(text));
    spec.identity.gid = static_cast<gid_t>(std::stoul(text.substr(colon + 1)));
  } else if (option == "-w") {
    spec.cwd = text;
  } else if (option == "-e") {
    spec.env.push_back(text);
  } else if (option == "-i") {
    if (text.starts_with("fast")) spec.fast_after = 1;
    if (text == "stops" || text == "fast_stops") choice = udk::engine::EngineChoice::ptrace_stops;
    if (text == "plain") choice = udk::engine::EngineChoice::ptrace_no_filter;
  } else if (option == "-k") {
    spec.kernel_release = text;
  } else {
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  udk::container::RunSpec spec;
  auto choice = udk::engine::EngineChoice::ptrace;
  spec.cwd = "/";
  int i = 1;
  for (; i < argc && argv[i][0] == '-'; i += 2)
    if (!take_option(spec, choice, argv[i], i + 1 < argc ? argv[i + 1] : nullptr)) return 2;
  if (i + 1 >= argc) return 2;
  char* root = ::realpath(argv[i], nullptr);
  if (root == nullptr) return 2;
  spec.root = root;
  std::free(root);
  spec.program = argv[i + 1];
  spec.argv.assign(argv + i + 1, argv + argc);
  for (char** e = environ; *e != nullptr; ++e) spec.env.emplace_back(*e);
  const auto status = udk::engine::run(spec, choice);
  if (!status) {
    std::cerr << "engine_run: " << status.error().text << '\n';
    return status.error().sys_errno == ENOENT ? 127 : 126;
  }
  return WIFSIGNALED(*status) ? 128 + WTERMSIG(*status) : WEXITSTATUS(*status);
}
