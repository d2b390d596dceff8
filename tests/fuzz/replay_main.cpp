// Runs a fuzz target over files: the part of libFuzzer that a compiler without it can have.
#include <cstdint>
#include <cstdio>
#include <string>

#include "base/file.hpp"
#include "base/path.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

bool replay(const std::string& file) {
  auto text = udk::read_file(file);
  if (!text) {
    std::fprintf(stderr, "%s\n", text.error().text.c_str());
    return false;
  }
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text->data()), text->size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    auto names = udk::list_dir(std::string(argv[i]));
    if (!names) {
      std::fprintf(stderr, "%s\n", names.error().text.c_str());
      return 1;
    }
    for (const auto& name : *names) {
      if (!replay(udk::path_join(argv[i], name))) return 1;
      ++files;
    }
  }
  std::printf("%zu inputs replayed\n", files);
  return files == 0 ? 1 : 0;
}
