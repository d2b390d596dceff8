#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "xlate/elf.hpp"
#include "xlate/shebang.hpp"

namespace udk::xlate {
namespace {

TEST(Shebang, InterpreterAndOneArgument) {
  const Shebang s = parse_shebang("#!/bin/sh\nrest");
  EXPECT_TRUE(s.valid);
  EXPECT_EQ(s.interpreter, "/bin/sh");
  EXPECT_EQ(s.argument, "");
  const Shebang t = parse_shebang("#! \t/usr/bin/env   python3 -u \t\nrest");
  EXPECT_EQ(t.interpreter, "/usr/bin/env");
  EXPECT_EQ(t.argument, "python3 -u");
  EXPECT_EQ(parse_shebang("#!sh").interpreter, "sh") << "the file ends with the line";
}

TEST(Shebang, WhatLinuxRefuses) {
  EXPECT_FALSE(parse_shebang("#!").valid);
  EXPECT_FALSE(parse_shebang("#!   \n").valid);
  EXPECT_FALSE(parse_shebang("#!/" + std::string(400, 'x')).valid) << "the name is cut off";
  const Shebang cut = parse_shebang("#!/bin/sh " + std::string(400, 'x'));
  EXPECT_TRUE(cut.valid);
  EXPECT_EQ(cut.argument.size(), k_shebang_size - std::strlen("#!/bin/sh ")) << "the argument may be cut off";
}

struct File {
  Elf64_Ehdr header{};
  std::vector<Elf64_Phdr> segments;
  File() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_DYN;
    header.e_machine = EM_X86_64;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_entry = 0x1040;
    segments = {{PT_LOAD, PF_R, 0, 0, 0, 0x600, 0x600, 0x1000},
                {PT_LOAD, PF_R | PF_X, 0x1000, 0x1000, 0, 0x200, 0x200, 0x1000},
                {PT_LOAD, PF_R | PF_W, 0x2df0, 0x3df0, 0, 0x220, 0x1228, 0x1000}};
    header.e_phnum = static_cast<Elf64_Half>(segments.size());
  }
  ElfKind check() {
    Elf64_Ehdr out{};
    Abi abi = Abi::i386;
    const ElfKind kind = check_elf_header(&header, sizeof header, abi, out);
    return kind == ElfKind::program ? read_elf_image(abi, out, segments.data(), image) : kind;
  }
  ElfImage image;
};

TEST(Elf, Layout) {
  File f;
  ASSERT_EQ(f.check(), ElfKind::program);
  EXPECT_EQ(f.image.low, 0U);
  EXPECT_EQ(f.image.high, 0x3df0U + 0x1228U);
  EXPECT_EQ(f.image.phdr_address, sizeof(Elf64_Ehdr));
  EXPECT_TRUE(f.image.position_independent);
  EXPECT_FALSE(f.image.executable_stack);
}

// A file of 32 bits, as it is on the disk.
struct NarrowFile {
  Elf32_Ehdr header{};
  std::vector<Elf32_Phdr> segments = {{PT_LOAD, 0, 0x8048000, 0, 0x600, 0x600, PF_R | PF_X, 0x1000},
                                      {PT_LOAD, 0x2df0, 0x804adf0, 0, 0x220, 0x1228, PF_R | PF_W, 0x1000}};
  NarrowFile() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS32;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_EXEC;
    header.e_machine = EM_386;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(Elf32_Phdr);
    header.e_phnum = 2;
    header.e_entry = 0x8048100;
  }
  ElfKind check(std::size_t size = sizeof(Elf32_Ehdr)) {
    Elf64_Ehdr out{};
    Abi abi = Abi::x86_64;
    const ElfKind kind = check_elf_header(&header, size, abi, out);
    if (kind != ElfKind::program) return kind;
    std::vector<Elf64_Phdr> wide;
    for (const Elf32_Phdr& segment : segments) wide.push_back(read_segment(abi, &segment));
    return read_elf_image(abi, out, wide.data(), image);
  }
  ElfImage image;
};

TEST(Elf, LayoutOf32Bits) {
  NarrowFile f;
  ASSERT_EQ(f.check(), ElfKind::program);
  EXPECT_EQ(f.image.abi, Abi::i386);
  EXPECT_EQ(f.image.low, 0x8048000U);
  EXPECT_EQ(f.image.high, 0x804adf0U + 0x1228U);
  EXPECT_EQ(f.image.entry, 0x8048100U);
  EXPECT_EQ(f.image.phdr_address, 0x8048000U + sizeof(Elf32_Ehdr));
  EXPECT_FALSE(f.image.position_independent);
  EXPECT_FALSE(f.image.stack_said);
  f.segments.push_back({PT_GNU_STACK, 0, 0, 0, 0, 0, PF_R | PF_W, 16});
  f.header.e_phnum = 3;
  ASSERT_EQ(f.check(), ElfKind::program);
  EXPECT_TRUE(f.image.stack_said);
  EXPECT_FALSE(f.image.executable_stack);
}

TEST(Elf, RefusedOf32Bits) {
  NarrowFile f;
  EXPECT_EQ(f.check(sizeof(Elf32_Ehdr) - 1), ElfKind::bad);
  f.segments[1].p_vaddr = 0xffffedf0;
  f.segments[1].p_memsz = 0x220;
  EXPECT_EQ(f.check(), ElfKind::bad) << "beyond the memory of a 32-bit program";
  f = {};
  f.header.e_phentsize = sizeof(Elf64_Phdr);
  EXPECT_EQ(f.check(), ElfKind::bad);
  f = {};
  f.header.e_machine = EM_X86_64;
  EXPECT_EQ(f.check(), ElfKind::foreign) << "x32";
  f = {};
  f.header.e_machine = EM_ARM;
  EXPECT_EQ(f.check(), ElfKind::foreign);
  File wide;
  wide.header.e_machine = EM_386;
  EXPECT_EQ(wide.check(), ElfKind::foreign);
}

TEST(Elf, Refused) {
  EXPECT_EQ(
      [] {
        File f;
        f.header.e_ident[0] = 'x';
        return f.check();
      }(),
      ElfKind::none);
  EXPECT_EQ(
      [] {
        File f;
        f.header.e_ident[EI_CLASS] = ELFCLASSNONE;
        return f.check();
      }(),
      ElfKind::foreign);
  EXPECT_EQ(
      [] {
        File f;
        f.header.e_machine = EM_AARCH64;
        return f.check();
      }(),
      ElfKind::foreign);
  EXPECT_EQ(
      [] {
        File f;
        f.header.e_type = ET_CORE;
        return f.check();
      }(),
      ElfKind::bad);
  EXPECT_EQ(
      [] {
        File f;
        f.header.e_phnum = 0;
        return f.check();
      }(),
      ElfKind::bad);
  EXPECT_EQ(
      [] {
        File f;
        f.segments[1].p_memsz = 1;
        return f.check();
      }(),
      ElfKind::bad);
  EXPECT_EQ(
      [] {
        File f;
        f.segments[1].p_vaddr = ~std::uint64_t{0} - 100;
        return f.check();
      }(),
      ElfKind::bad);
  EXPECT_EQ(
      [] {
        File f;
        f.segments[2].p_memsz = ~std::uint64_t{0};
        return f.check();
      }(),
      ElfKind::bad);
  EXPECT_EQ(
      [] {
        File f;
        f.segments[1].p_offset = 0x1001;
        return f.check();
      }(),
      ElfKind::bad);
  EXPECT_EQ(
      [] {
        File f;
        for (auto& s : f.segments) s.p_type = PT_NOTE;
        return f.check();
      }(),
      ElfKind::bad);
}

}  // namespace
}  // namespace udk::xlate
