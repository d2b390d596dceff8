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

#include "base/file.hpp"

extern "C" {
extern const char udk_loader_begin[], udk_loader_syscall_end[], udk_loader_end[];
extern const char udk_stub_rdi[], udk_stub_rsi[], udk_stub_rdx[], udk_stub_r10[], udk_stub_r8[];
}

namespace udk::engine {
namespace {

constexpr std::size_t k_code_offset = 0x200;  // behind the ELF headers in the first page

std::uint64_t address_of(std::uint64_t base, const char* label) {
  return base + k_code_offset + static_cast<std::uint64_t>(label - udk_loader_begin);
}

// A file header, two segments (code; scratch memory without file) and the stack's protection.
std::string make_elf(std::uint64_t base) {
  const auto code = static_cast<std::size_t>(udk_loader_end - udk_loader_begin);
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_entry = base + k_code_offset;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  std::array<Elf64_Phdr, 3> segments{};
  header.e_phnum = static_cast<Elf64_Half>(segments.size());
  segments[0] = {PT_LOAD, PF_R | PF_X, 0, base, base, k_code_offset + code, k_code_offset + code, 4096};
  const std::uint64_t scratch = LoaderImage::scratch_of(base);
  segments[1] = {PT_LOAD, PF_R | PF_W, 0, scratch, scratch, 0, k_slot_size * k_slot_count, 4096};
  segments[2] = {PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16};

  std::string file(k_code_offset + code, '\0');
  std::memcpy(file.data(), &header, sizeof header);
  std::memcpy(file.data() + sizeof header, segments.data(), sizeof segments);
  std::memcpy(file.data() + k_code_offset, udk_loader_begin, code);
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

Result<LoaderImage> LoaderImage::create(std::uint64_t base) {
  LoaderImage image;
  image.base_ = base;
  Fd file(static_cast<int>(::memfd_create("udocker-loader", MFD_CLOEXEC)));
  if (file && ::access(("/proc/self/fd/" + std::to_string(file.get())).c_str(), X_OK) != 0) file.reset();
  if (!file) {
    TRY_ASSIGN(file, temporary_file());
  }
  TRY(write_all(file.get(), as_bytes(make_elf(base))));
  // Only a descriptor without write access may be left: a file that is open for writing cannot be executed.
  const std::string by_number = "/proc/self/fd/" + std::to_string(file.get());
  TRY_ASSIGN(image.file_, open_at(AT_FDCWD, by_number, O_RDONLY));
  image.path_ = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(image.file_.get());
  return image;
}

std::uint64_t LoaderImage::syscall_end(std::uint64_t base) { return address_of(base, udk_loader_syscall_end); }

std::uint64_t LoaderImage::stub(std::uint64_t base, int arg) {
  static const std::array<const char*, 5> stubs = {udk_stub_rdi, udk_stub_rsi, udk_stub_rdx, udk_stub_r10, udk_stub_r8};
  return address_of(base, stubs.at(static_cast<std::size_t>(arg)));
}

bool LoaderImage::is_stub(std::uint64_t base, std::uint64_t ip) {
  for (int arg = 0; arg < 5; ++arg)
    if (stub(base, arg) == ip) return true;
  return false;
}

}  // namespace udk::engine
