#include "cli/registries.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "unit/temp_dir.hpp"

namespace udk::cli {
namespace {

TEST(RegistriesFiles, Order) {
  test::TempDir dir;
  ConfigSources sources;
  sources.home = dir / "home";
  const auto user = dir / "home/.config/containers/";
  const auto system = dir / "etc/";
  for (const auto& folder : {user + "registries.conf.d/sub.conf", system + "registries.conf.d"})
    ASSERT_TRUE(make_dirs(folder));
  const auto files = [&] { return registries_files(sources, dir / "etc").value_or(std::vector<std::string>{"error"}); };
  const auto write = [](const std::string& path) { ASSERT_TRUE(write_file_atomic(path, "")); };
  EXPECT_TRUE(files().empty());

  for (const auto& name : {"registries.conf.d/2.conf", "registries.conf.d/10.conf", "registries.conf.d/1.toml"})
    write(system + name);
  write(system + "registries.conf");
  write(user + "registries.conf.d/0.conf");
  const auto with_drop_ins = [&](const std::string& main_file) {
    return std::vector{main_file, system + "registries.conf.d/10.conf", system + "registries.conf.d/2.conf",
                       user + "registries.conf.d/0.conf"};
  };
  EXPECT_EQ(files(), with_drop_ins(system + "registries.conf"));

  // The user's own main file leaves those of the system out.
  write(user + "registries.conf");
  EXPECT_EQ(files(), (std::vector<std::string>{user + "registries.conf", user + "registries.conf.d/0.conf"}));

  sources.environment["CONTAINERS_REGISTRIES_CONF"] = dir / "named";
  EXPECT_EQ(files(), std::vector<std::string>{"error"});
  write(dir / "named");
  EXPECT_EQ(files(), with_drop_ins(dir / "named"));
}

}  // namespace
}  // namespace udk::cli
