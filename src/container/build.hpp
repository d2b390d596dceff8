#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "container/host_facts.hpp"
#include "container/options.hpp"
#include "container/run_spec.hpp"
#include "container/scratch_dir.hpp"

namespace udk::container {

// A line for the user that does not stop the run.
struct Notice {
  log::Level level;
  std::string text;
};

struct PreparedRun {
  RunSpec spec;
  std::vector<Notice> notices;
  ScratchDir scratch;  // files that spec.binds refers to: keep it until the payload has ended
};

// Everything between the words of `run` and the engine: metadata, environment, user, volumes, working directory,
// command. Starts nothing; writes only generated files below settings.tmpdir and a missing working directory inside
// ROOT. Every error is one line that names the object, the cause and the remedy (exit code 2 of `run`).
Result<PreparedRun> build_run_spec(const ContainerInfo& container, const RunOptions& options, const Settings& settings,
                                   const HostFacts& host);

// NAME[:ro|:rw] of --volumes-from. Code::usage for another suffix.
struct VolumesFromName {
  std::string name;
  Access access = Access::read_write;
};
Result<VolumesFromName> parse_volumes_from(std::string_view text);

// The lines of the banner that announces a run, without line ends.
std::vector<std::string> banner(std::string_view container_id, std::string_view mode, std::string_view program);

}  // namespace udk::container
