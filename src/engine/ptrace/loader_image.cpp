#include "engine/ptrace/loader_image.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/file.hpp"
#include "base/log.hpp"
#include "guest/runtime_image.hpp"

extern "C" {
extern const char udk_loader_begin[], udk_loader_syscall_end[], udk_loader_end[];
extern const char udk_loader_i386_begin[], udk_loader_i386_syscall_end[], udk_loader_i386_end[];
extern const char udk_stub_rdi[], udk_stub_rsi[], udk_stub_rdx[], udk_stub_r10[], udk_stub_r8[];
}

namespace udk::engine {
namespace {

using xlate::Abi;

constexpr std::size_t k_code_offset = 0x200;  // behind the ELF headers in the first page

std::uint64_t address_of(std::uint64_t base, const char* label) {
  return base + k_code_offset + static_cast<std::uint64_t>(label - udk_loader_begin);
}

std::string_view code_of(Abi abi) {
  const char* begin = abi == Abi::x86_64 ? udk_loader_begin : udk_loader_i386_begin;
  const char* end = abi == Abi::x86_64 ? udk_loader_end : udk_loader_i386_end;
  return {begin, static_cast<std::size_t>(end - begin)};
}

struct Elf64 {
  using Header = Elf64_Ehdr;
  using Segment = Elf64_Phdr;
  static constexpr unsigned char k_class = ELFCLASS64;
  static constexpr Elf64_Half k_machine = EM_X86_64;
};
struct Elf32 {
  using Header = Elf32_Ehdr;
  using Segment = Elf32_Phdr;
  static constexpr unsigned char k_class = ELFCLASS32;
  static constexpr Elf32_Half k_machine = EM_386;
};

template <class Elf>
typename Elf::Segment segment(std::uint32_t type, std::uint32_t flags, std::uint64_t address, std::size_t in_file,
                              std::size_t in_memory) {
  typename Elf::Segment s{};
  s.p_type = type;
  s.p_flags = flags;
  s.p_vaddr = s.p_paddr = static_cast<decltype(s.p_vaddr)>(address);
  s.p_filesz = static_cast<decltype(s.p_filesz)>(in_file);
  s.p_memsz = static_cast<decltype(s.p_memsz)>(in_memory);
  s.p_align = type == PT_LOAD ? 4096 : 16;
  return s;
}

// A file header, two segments (code; memory without file behind it) and the stack's protection.
template <class Elf>
std::string make_elf(Abi abi, std::uint64_t base) {
  const std::string_view code = code_of(abi);
  typename Elf::Header header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = Elf::k_class;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = Elf::k_machine;
  header.e_version = EV_CURRENT;
  header.e_entry = static_cast<decltype(header.e_entry)>(base + k_code_offset);
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(typename Elf::Segment);
  const bool runtime = abi == Abi::x86_64;
  const std::size_t size = runtime ? guest::k_data_at : k_code_offset + code.size();
  const std::uint64_t memory = base + (runtime ? guest::k_data_at : guest::k_page);
  const std::uint64_t end = LoaderImage::scratch_of(abi, base) + k_slot_size * k_slot_count;
  const std::array<typename Elf::Segment, 3> segments = {segment<Elf>(PT_LOAD, PF_R | PF_X, base, size, size),
                                                         segment<Elf>(PT_LOAD, PF_R | PF_W, memory, 0, end - memory),
                                                         segment<Elf>(PT_GNU_STACK, PF_R | PF_W, 0, 0, 0)};
  header.e_phnum = static_cast<decltype(header.e_phnum)>(segments.size());

  std::string file(size, '\0');
  std::memcpy(file.data(), &header, sizeof header);
  std::memcpy(file.data() + sizeof header, segments.data(), sizeof segments);
  std::memcpy(file.data() + k_code_offset, code.data(), code.size());
  const std::string_view image = guest::runtime_image();
  if (runtime) std::memcpy(file.data() + guest::k_runtime_at, image.data(), image.size());
  return file;
}

// A file that can be executed and whose name is gone, for hosts without memfd_create or that refuse to execute one.
Result<Fd> temporary_file() {
  for (const char* dir : std::array<const char*, 5>{std::getenv("XDG_RUNTIME_DIR"), std::getenv("TMPDIR"), "/tmp",
                                                    "/var/tmp", "/dev/shm"}) {
    if (dir == nullptr || *dir == '\0') continue;
    std::string name = std::string(dir) + "/udocker-loader-XXXXXX";
    Fd fd(::mkostemp(name.data(), O_CLOEXEC));
    if (!fd) continue;
    const bool executable = ::fchmod(fd.get(), 0700) == 0 && ::access(name.c_str(), X_OK) == 0;
    ::unlink(name.c_str());
    if (executable) return fd;
  }
  return fail(Code::denied,
              "no directory for temporary files allows to execute programs (set TMPDIR to one that does)");
}

}  // namespace

Result<LoaderImage> LoaderImage::create(Abi abi, std::uint64_t base) {
  LoaderImage image;
  image.abi_ = abi;
  image.base_ = base;
  Fd file(static_cast<int>(::memfd_create("udocker-loader", MFD_CLOEXEC)));
  if (file && ::access(("/proc/self/fd/" + std::to_string(file.get())).c_str(), X_OK) != 0) file.reset();
  if (!file) {
    TRY_ASSIGN(file, temporary_file());
  }
  const std::string elf = abi == Abi::x86_64 ? make_elf<Elf64>(abi, base) : make_elf<Elf32>(abi, base);
  TRY(write_all(file.get(), as_bytes(elf)));
  // Only a descriptor without write access may be left: a file that is open for writing cannot be executed.
  const std::string by_number = "/proc/self/fd/" + std::to_string(file.get());
  TRY_ASSIGN(image.file_, open_at(AT_FDCWD, by_number, O_RDONLY));
  image.path_ = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(image.file_.get());
  return image;
}

std::uint64_t LoaderImage::syscall_end(Abi abi, std::uint64_t base) {
  if (abi == Abi::x86_64) return address_of(base, udk_loader_syscall_end);
  return base + k_code_offset + static_cast<std::uint64_t>(udk_loader_i386_syscall_end - udk_loader_i386_begin);
}

std::uint64_t LoaderImage::stub(std::uint64_t base, int arg) {
  static const std::array<const char*, 5> stubs = {udk_stub_rdi, udk_stub_rsi, udk_stub_rdx, udk_stub_r10, udk_stub_r8};
  return address_of(base, stubs.at(static_cast<std::size_t>(arg)));
}

bool LoaderImage::is_stub(std::uint64_t base, std::uint64_t ip) {
  for (int arg = 0; arg < 5; ++arg)
    if (stub(base, arg) == ip) return true;
  return false;
}

Result<> LoaderImages::prepare() { return make(images_.front(), Abi::x86_64, loader_base(Abi::x86_64, 0)); }

Result<> LoaderImages::make(std::optional<LoaderImage>& image, Abi abi, std::uint64_t base) {
  if (image) return {};
  TRY_ASSIGN(image, LoaderImage::create(abi, base));
  return {};
}

const LoaderImage* LoaderImages::choose(Abi abi, std::uint64_t low, std::uint64_t high) {
  for (std::size_t place = 0; place < k_loader_places; ++place) {
    const std::uint64_t base = loader_base(abi, place);
    const std::uint64_t end = LoaderImage::scratch_of(abi, base) + k_slot_size * k_slot_count;
    if (low < end && high > base) continue;
    std::optional<LoaderImage>& image = images_.at(static_cast<std::size_t>(abi) * k_loader_places + place);
    const auto made = make(image, abi, base);
    if (!made) log::error("{}", made.error().text);
    return made ? &*image : nullptr;
  }
  return nullptr;
}

}  // namespace udk::engine
