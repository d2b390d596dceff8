// Applies layers to a new directory, as `create` does, and says what it cost:
//   apply_layers [--pipeline] DIRECTORY LAYER...
// LAYER is a file; "sha256:HEX=FILE" has its diff_id checked. Quote CPU time: the machine may be shared.
#include <fcntl.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "archive/apply.hpp"
#include "base/file.hpp"

namespace {

using namespace udk;

double seconds(timeval time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; }

Result<archive::LayerInput> open_layer(std::string_view word) {
  archive::LayerInput layer;
  if (auto at = word.find('='); word.starts_with("sha") && at != std::string_view::npos) {
    TRY_ASSIGN(layer.diff_id, image::Digest::parse(word.substr(0, at)));
    word.remove_prefix(at + 1);
  }
  layer.name = word;
  TRY_ASSIGN(Fd fd, open_at(AT_FDCWD, layer.name, O_RDONLY));
  layer.blob = std::make_unique<archive::FdSource>(std::move(fd));
  return layer;
}

Result<> run(const std::vector<std::string_view>& words, const archive::ApplyOptions& options) {
  const std::string directory(words[0]);
  TRY(make_dirs(directory));
  TRY_ASSIGN(Fd root, open_dir(directory));
  std::vector<archive::LayerInput> layers;
  for (std::size_t i = 1; i < words.size(); ++i) {
    TRY_ASSIGN(auto layer, open_layer(words[i]));
    layers.push_back(std::move(layer));
  }
  const auto start = std::chrono::steady_clock::now();
  archive::OwnerRecord owners;
  TRY_ASSIGN(auto report, apply_layers(layers, root.get(), options, owners));
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  std::printf("members %lu files %lu bytes %lu owners %zu\n", report.entries, report.files, report.content_bytes,
              owners.size());
  std::printf("user %.3f sys %.3f cpu %.3f wall %.3f s, peak %ld MiB\n", seconds(use.ru_utime), seconds(use.ru_stime),
              seconds(use.ru_utime) + seconds(use.ru_stime), wall.count(), use.ru_maxrss / 1024);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  archive::ApplyOptions options;
  std::vector<std::string_view> words;
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    if (word == "--pipeline")
      options.threads = archive::Threads::pipeline;
    else
      words.push_back(word);
  }
  if (words.size() < 2) {
    std::fputs("usage: apply_layers [--pipeline] DIRECTORY LAYER...\n", stderr);
    return 2;
  }
  auto done = run(words, options);
  if (done) return 0;
  std::fprintf(stderr, "%s\n", done.error().text.c_str());
  return 1;
}
