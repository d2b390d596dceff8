#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>

#include "xlate/abi.hpp"

// What an exec needs to know of an ELF file, read from its first bytes. Every field is checked: the file is the
// guest's. Files of i386 are read into the structures of 64 bits.
namespace udk::xlate {

enum class ElfKind : unsigned char {
  none,     // not ELF
  foreign,  // ELF of another machine or word size
  bad,      // ELF, but nothing that can be run
  program   // an executable or shared object of this machine
};

struct ElfImage {
  Abi abi = Abi::x86_64;
  std::uint64_t entry = 0;                                                 // as in the file, without bias
  std::uint64_t phdr_file = 0;                                             // file offset of the program headers
  std::uint64_t low = 0;                                                   // lowest page of the segments
  std::uint64_t high = 0;                                                  // end of the highest one
  std::uint64_t brk = 0;                                                   // end of the last segment's memory
  std::uint64_t code_low = 0, code_high = 0, data_low = 0, data_high = 0;  // as /proc/PID/stat tells them
  std::uint64_t phdr_address = 0;                    // where the program headers appear in memory, without bias
  std::uint64_t align = 4096;                        // the largest alignment of a segment
  std::uint32_t interp_offset = 0, interp_size = 0;  // PT_INTERP in the file; size 0: none
  std::uint16_t phnum = 0;
  bool position_independent = false;
  bool executable_stack = false;
  bool stack_said = false;  // there is a PT_GNU_STACK
};

inline constexpr std::uint64_t k_page = 4096;
constexpr std::uint64_t page_down(std::uint64_t v) { return v & ~(k_page - 1); }
constexpr std::uint64_t page_up(std::uint64_t v) { return (v + k_page - 1) & ~(k_page - 1); }
constexpr std::uint64_t user_end(Abi abi) { return abi == Abi::x86_64 ? 0x7ffffffff000 : 0xffffe000; }
constexpr std::size_t segment_size(Abi abi) { return abi == Abi::x86_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr); }

inline Elf64_Ehdr widened(const Elf32_Ehdr& h) {
  Elf64_Ehdr out{};
  __builtin_memcpy(out.e_ident, h.e_ident, EI_NIDENT);
  out.e_type = h.e_type;
  out.e_machine = h.e_machine;
  out.e_entry = h.e_entry;
  out.e_phoff = h.e_phoff;
  out.e_phentsize = h.e_phentsize;
  out.e_phnum = h.e_phnum;
  return out;
}

// Reads a program header of the file, which has the file's word size.
inline Elf64_Phdr read_segment(Abi abi, const void* bytes) {
  Elf64_Phdr out{};
  if (abi == Abi::x86_64) {
    __builtin_memcpy(&out, bytes, sizeof out);
    return out;
  }
  Elf32_Phdr in{};
  __builtin_memcpy(&in, bytes, sizeof in);
  return {in.p_type, in.p_flags, in.p_offset, in.p_vaddr, in.p_paddr, in.p_filesz, in.p_memsz, in.p_align};
}

// Checks the file header. `size` bytes of the file's beginning are at `bytes`. x32 programs are foreign ones.
inline ElfKind check_elf_header(const void* bytes, std::size_t size, Abi& abi, Elf64_Ehdr& header) {
  const auto* id = static_cast<const unsigned char*>(bytes);
  if (size < EI_NIDENT || __builtin_memcmp(id, ELFMAG, SELFMAG) != 0) return ElfKind::none;
  if ((id[EI_CLASS] != ELFCLASS64 && id[EI_CLASS] != ELFCLASS32) || id[EI_DATA] != ELFDATA2LSB) return ElfKind::foreign;
  abi = id[EI_CLASS] == ELFCLASS64 ? Abi::x86_64 : Abi::i386;
  if (abi == Abi::x86_64) {
    if (size < sizeof header) return ElfKind::bad;
    __builtin_memcpy(&header, bytes, sizeof header);
  } else {
    Elf32_Ehdr narrow{};
    if (size < sizeof narrow) return ElfKind::bad;
    __builtin_memcpy(&narrow, bytes, sizeof narrow);
    header = widened(narrow);
  }
  if (header.e_machine != (abi == Abi::x86_64 ? EM_X86_64 : EM_386)) return ElfKind::foreign;
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) return ElfKind::bad;
  if (header.e_phentsize != segment_size(abi) || header.e_phnum == 0 || header.e_phnum > 128) return ElfKind::bad;
  return ElfKind::program;
}

// One segment: false if it cannot be mapped anywhere.
inline bool add_segment(const Elf64_Phdr& p, ElfImage& image, bool first) {
  const std::uint64_t limit = user_end(image.abi);
  if (p.p_memsz < p.p_filesz || p.p_vaddr > limit || p.p_memsz > limit - p.p_vaddr) return false;
  if (p.p_offset > (~std::uint64_t{0} >> 1) - p.p_filesz || ((p.p_vaddr - p.p_offset) & (k_page - 1)) != 0)
    return false;
  const std::uint64_t end = p.p_vaddr + p.p_memsz;
  if (first || page_down(p.p_vaddr) < image.low) image.low = page_down(p.p_vaddr);
  if (end > image.high) image.high = end;
  if (end > image.brk) image.brk = end;
  if (p.p_align > image.align && (p.p_align & (p.p_align - 1)) == 0) image.align = p.p_align;
  const std::uint64_t file_end = p.p_vaddr + p.p_filesz;
  if (first || p.p_vaddr < image.code_low) image.code_low = p.p_vaddr;
  if (p.p_vaddr > image.data_low) image.data_low = p.p_vaddr;
  if ((p.p_flags & PF_X) != 0 && file_end > image.code_high) image.code_high = file_end;
  if (file_end > image.data_high) image.data_high = file_end;
  if (image.phdr_file >= p.p_offset && image.phdr_file < p.p_offset + p.p_filesz)
    image.phdr_address = image.phdr_file - p.p_offset + p.p_vaddr;
  return true;
}

// Reads the program headers (header.e_phnum of them) into `image`.
inline ElfKind read_elf_image(Abi abi, const Elf64_Ehdr& header, const Elf64_Phdr* headers, ElfImage& image) {
  image = {};
  image.abi = abi;
  image.entry = header.e_entry;
  image.phdr_file = header.e_phoff;
  image.phnum = header.e_phnum;
  image.position_independent = header.e_type == ET_DYN;
  bool first = true;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const Elf64_Phdr& p = headers[i];
    if (p.p_type == PT_INTERP && image.interp_size == 0) {
      if (p.p_filesz < 2 || p.p_filesz > 4096 || p.p_offset > 0x7fffffff) return ElfKind::bad;
      image.interp_offset = static_cast<std::uint32_t>(p.p_offset);
      image.interp_size = static_cast<std::uint32_t>(p.p_filesz);
    } else if (p.p_type == PT_GNU_STACK) {
      image.executable_stack = (p.p_flags & PF_X) != 0;
      image.stack_said = true;
    } else if (p.p_type == PT_LOAD && p.p_memsz != 0) {
      if (!add_segment(p, image, first)) return ElfKind::bad;
      first = false;
    }
  }
  return first ? ElfKind::bad : ElfKind::program;
}

}  // namespace udk::xlate
