#pragma once

#include <string>
#include <vector>

#include "unit/temp_dir.hpp"

namespace udk::engine::test {

// The ways to intercept calls, as option -i of engine_run names them; the first ones in the order of EngineChoice.
inline constexpr const char* k_interceptions[] = {"notify", "stops", "plain", "fast", "fast_stops"};

// What a run of the engine's driver printed and how it ended.
struct Outcome {
  int status = -1;  // exit status of the driver: as a shell's
  std::string out;  // stdout and stderr
};

// A small guest made of the host's own parts: busybox, the C library with its loader, and the programs of guests/
// (every form in /FORM/NAME). Beside it host directories to bind. All belongs to the user who will run it: an ordinary
// one, the user nobody if the tests run as root.
class GuestTree {
 public:
  GuestTree();
  [[nodiscard]] std::string root() const { return dir_ / "root"; }
  [[nodiscard]] std::string host(const std::string& name) const { return dir_ / ("host/" + name); }
  // The binds that guests/files.c expects, and /proc and /dev.
  [[nodiscard]] std::vector<std::string> binds() const;
  // Puts a file into the tree, owned as the rest.
  void put(const std::string& path, const std::string& content, unsigned mode) const;
  void own() const;

  // Runs a program of the tree: options of engine_run, then the words of the guest.
  [[nodiscard]] Outcome run(const std::vector<std::string>& options, const std::vector<std::string>& words) const;

 private:
  udk::test::TempDir dir_;
};

// Runs a host program as the ordinary user, with both outputs collected; killed after a minute.
Outcome run_as_user(const std::vector<std::string>& words);
// Becomes the ordinary user: in a child, before exec.
void become_user();
// Whether this kernel runs 32-bit programs.
bool runs_i386();
// "UID:GID" of that user.
std::string ordinary_user();
// The driver of the engine.
std::string engine_run();

}  // namespace udk::engine::test
