#include "unit/archive/apply_fixture.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <functional>

#include "base/file.hpp"
#include "base/path.hpp"

namespace udk::archive::test {
namespace {

std::string describe(int dir, const std::string& name, const struct stat& st) {
  char mode[16];
  std::snprintf(mode, sizeof mode, " %o", st.st_mode & 07777U);
  if (S_ISDIR(st.st_mode)) return std::string("d") + mode;
  if (S_ISLNK(st.st_mode)) return "l -> " + readlink_at(dir, name).value_or("?");
  if (S_ISFIFO(st.st_mode)) return std::string("p") + mode;
  if (!S_ISREG(st.st_mode)) return "?";
  return std::string("f") + mode + " " + read_file_at(dir, name).value_or("?");
}

void list_into(int dir, const std::string& prefix, Listing& out) {
  auto names = list_dir(dir);
  if (!names) return;
  for (const std::string& name : *names) {
    auto st = lstat_at(dir, name);
    if (!st || !*st) continue;
    const std::string path = path_join(prefix, name);
    out[path] = describe(dir, name, **st);
    if (!S_ISDIR((*st)->st_mode)) continue;
    if (auto below = open_dir_at(dir, name, O_NOFOLLOW)) list_into(below->get(), path, out);
  }
}

}  // namespace

Listing list_tree(const std::string& top) {
  Listing out;
  if (auto dir = open_dir(top)) list_into(dir->get(), "", out);
  return out;
}

ApplyFixture::ApplyFixture() {
  EXPECT_TRUE(make_dirs(root()));
  EXPECT_TRUE(make_dirs(outside()));
  EXPECT_TRUE(write_file_atomic(outside() + "/witness", "untouched", 0600));
}

Result<ApplyReport> ApplyFixture::apply(const std::vector<std::string>& layers) {
  std::vector<LayerInput> inputs;
  for (const std::string& bytes : layers) {
    LayerInput input;
    input.blob = std::make_unique<MemorySource>(as_bytes(bytes));
    input.name = std::to_string(inputs.size() + 1);
    inputs.push_back(std::move(input));
  }
  TRY_ASSIGN(Fd dir, open_dir(root()));
  return apply_layers(inputs, dir.get(), options, owners);
}

}  // namespace udk::archive::test
