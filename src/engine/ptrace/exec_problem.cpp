#include "engine/ptrace/exec_problem.hpp"

#include <elf.h>

#include <cerrno>
#include <cstring>

#include "container/architecture.hpp"

namespace udk::engine {
namespace {

std::string cause_of(int error) {
  if (error == ENOENT) return "is missing in the container";
  if (error == EACCES) return "is not executable";
  if (error == ELOOP) return "is a script again and again";
  const char* text = ::strerrordesc_np(error);
  return std::string("cannot be run: ") + (text == nullptr ? "unknown error" : text);
}

}  // namespace

std::string interpreter_problem(std::string_view script, std::string_view interpreter, int error) {
  return std::string(script) + ": the interpreter of this script, " + std::string(interpreter) + ", " +
         cause_of(error) + "; install it there or correct the first line";
}

std::string loader_problem(std::string_view program, std::string_view loader, int error) {
  return std::string(program) + ": the loader of this program, " + std::string(loader) + ", " + cause_of(error) +
         "; the program is made for another system: use a static one or one of the container's own";
}

std::string format_problem(std::string_view program, std::string_view head) {
  const std::string name(program);
  if (const auto architecture = container::elf_architecture(head); architecture && architecture != "amd64")
    return name + ": exec format error: this program is for " + *architecture +
           " and only those for amd64 can be run; pull the image with --platform=linux/amd64";
  if (head.substr(0, 2) == "#!") return name + ": exec format error: the first line names no interpreter; correct it";
  if (head.substr(0, SELFMAG) == std::string_view(ELFMAG, SELFMAG))
    return name + ": exec format error: this program is damaged, or no program at all; replace it";
  return name +
         ": exec format error: neither a program nor a script with #! in its first line; if it is a script run it by "
         "/bin/sh " +
         name;
}

}  // namespace udk::engine
