#include "container/architecture.hpp"

#include <gtest/gtest.h>

#include "unit/container/guest_tree.hpp"

namespace udk::container {
namespace {

// The first 20 bytes of an ELF file.
std::string elf(unsigned machine, char bits = 2, char order = 1) {
  std::string head = {'\x7f', 'E', 'L', 'F', bits, order, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  auto low = static_cast<char>(machine & 255);
  auto high = static_cast<char>(machine >> 8);
  head += order == 1 ? std::string{2, 0, low, high} : std::string{0, 2, high, low};
  return head;
}

TEST(Architecture, OfElfFiles) {
  EXPECT_EQ(elf_architecture(elf(62)), "amd64");
  EXPECT_EQ(elf_architecture(elf(3, 1)), "386");
  EXPECT_EQ(elf_architecture(elf(183)), "arm64");
  EXPECT_EQ(elf_architecture(elf(40, 1)), "arm");
  EXPECT_EQ(elf_architecture(elf(21)), "ppc64le");
  EXPECT_EQ(elf_architecture(elf(21, 2, 2)), "ppc64");
  EXPECT_EQ(elf_architecture(elf(22, 2, 2)), "s390x");
  EXPECT_EQ(elf_architecture(elf(8, 2, 1)), "mips64le");
  EXPECT_EQ(elf_architecture(elf(8, 1, 2)), "mips");
  EXPECT_EQ(elf_architecture(elf(258)), "loong64");
  EXPECT_EQ(elf_architecture(elf(9999)), std::nullopt);
  EXPECT_EQ(elf_architecture("#!/bin/sh"), std::nullopt);
  EXPECT_EQ(elf_architecture("\x7f"
                             "ELF"),
            std::nullopt);
}

// As `cat /proc/sys/fs/binfmt_misc/qemu-aarch64` prints it.
constexpr const char* k_qemu_aarch64 =
    "enabled\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\nflags: POCF\noffset 0\n"
    "magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n";

TEST(Architecture, BinfmtHandlers) {
  test::Tree dir;
  EXPECT_FALSE(has_binfmt_handler(dir.path(), elf(183)));
  EXPECT_FALSE(has_binfmt_handler("/nonexistent", elf(183)));
  dir.file("status", "enabled\n")
      .file("qemu-aarch64", k_qemu_aarch64)
      .file("jar", "enabled\ninterpreter /j\nextension .jar\n");
  EXPECT_TRUE(has_binfmt_handler(dir.path(), elf(183)));
  EXPECT_FALSE(has_binfmt_handler(dir.path(), elf(40, 1)));
  dir.file("qemu-aarch64", "disabled" + std::string(k_qemu_aarch64).substr(7));
  EXPECT_FALSE(has_binfmt_handler(dir.path(), elf(183)));
  dir.file("odd", "enabled\noffset 99999999999999999999\nmagic 7f\n").file("odd2", "enabled\noffset 0\nmagic 7\n");
  EXPECT_FALSE(has_binfmt_handler(dir.path(), elf(183)));
}

class MachineTest : public ::testing::Test {
 protected:
  MachineTest() { root.file("amd", elf(62)).file("i386", elf(3, 1)).file("arm", elf(183)).file("script", "#!/x\n"); }
  std::string check(const std::string& program, const std::string& said = "") {
    Metadata metadata;
    metadata.platform.architecture = said;
    auto result = check_architecture(GuestView(root.path()), program, metadata, host);
    if (!result) return "error: " + result.error().text;
    return *result ? (*result)->text : "";
  }
  test::Tree root, binfmt;
  HostFacts host = test::test_host();
};

TEST_F(MachineTest, Check) {
  EXPECT_EQ(check("/amd", "amd64"), "");
  EXPECT_EQ(check("/amd"), "");
  EXPECT_EQ(check("/i386", "386"), "");
  EXPECT_EQ(check("/script", "amd64"), "");
  EXPECT_EQ(check("/missing", "unknown"), "");
  EXPECT_EQ(check("/amd", "arm64"), "host and container architectures mismatch (host amd64, container arm64)");
  EXPECT_TRUE(check("/arm", "arm64")
                  .starts_with("error: cannot execute /arm: it is a program for arm64 and this host is amd64"));
  binfmt.file("qemu-aarch64", k_qemu_aarch64);
  host.binfmt_dir = binfmt.path();
  EXPECT_EQ(check("/arm", "arm64"), "host and container architectures mismatch (host amd64, container arm64)");
}

}  // namespace
}  // namespace udk::container
