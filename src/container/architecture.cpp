#include "container/architecture.hpp"

#include <elf.h>
#include <fcntl.h>

#include <algorithm>
#include <array>

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/text.hpp"

namespace udk::container {
namespace {

constexpr std::size_t k_head_size = 256;  // as far as the kernel's binfmt_misc looks
constexpr std::size_t k_machine_offset = 18;
constexpr unsigned k_em_loongarch = 258;  // EM_LOONGARCH, unknown to older elf.h

struct Machine {
  unsigned number;
  std::string_view little, big;  // docker names by byte order
};
constexpr std::array<Machine, 11> k_machines{{{EM_X86_64, "amd64", ""},
                                              {EM_386, "386", ""},
                                              {EM_AARCH64, "arm64", ""},
                                              {EM_ARM, "arm", ""},
                                              {EM_PPC64, "ppc64le", "ppc64"},
                                              {EM_PPC, "", "ppc"},
                                              {EM_S390, "", "s390x"},
                                              {EM_RISCV, "riscv64", ""},
                                              {EM_SPARCV9, "", "sparc64"},
                                              {EM_MIPS, "mipsle", "mips"},
                                              {k_em_loongarch, "loong64", ""}}};

unsigned octet(char c) { return static_cast<unsigned char>(c); }

bool runs_on(std::string_view host, std::string_view program) {
  return host == program || (host == "amd64" && program == "386") || (host == "arm64" && program == "arm");
}

std::optional<std::string> unhex(std::string_view text) {
  auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : (c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1); };
  std::string out;
  if (text.size() % 2 != 0) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int high = digit(text[i]);
    int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

// One entry of binfmt_misc as the kernel prints it.
bool handler_takes(std::string_view entry, std::string_view head) {
  std::optional<std::string> magic;
  std::optional<std::string> mask;
  std::uint64_t offset = 0;
  auto rows = split(entry, '\n');
  if (rows.empty() || rows[0] != "enabled") return false;
  for (auto row : rows) {
    auto words = split_blank(row);
    if (words.size() != 2) continue;
    if (words[0] == "magic") magic = unhex(words[1]);
    if (words[0] == "mask") mask = unhex(words[1]);
    if (words[0] == "offset") offset = parse_uint(words[1]).value_or(k_head_size);
  }
  if (!magic || magic->empty() || offset > head.size() || magic->size() > head.size() - offset) return false;
  for (std::size_t i = 0; i < magic->size(); ++i) {
    unsigned bits = mask && i < mask->size() ? octet((*mask)[i]) : 255U;
    if (((octet(head[offset + i]) ^ octet((*magic)[i])) & bits) != 0) return false;
  }
  return true;
}

// The first bytes of the program; "" where they cannot be read (execute permission alone is enough to run it).
std::string read_head(const GuestView& view, const std::string& program) {
  auto place = view.locate(program);
  if (!place) return "";
  auto fd = open_at(AT_FDCWD, place->host, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!fd) return "";
  std::string head(k_head_size, '\0');
  auto got = ::read(fd->get(), head.data(), head.size());
  head.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return head;
}

}  // namespace

std::optional<std::string> elf_architecture(std::string_view head) {
  if (!head.starts_with(ELFMAG) || head.size() < k_machine_offset + 2) return std::nullopt;
  bool big = head[EI_DATA] == ELFDATA2MSB;
  unsigned first = octet(head[k_machine_offset]);
  unsigned second = octet(head[k_machine_offset + 1]);
  unsigned number = big ? first << 8 | second : second << 8 | first;
  for (const auto& machine : k_machines) {
    if (machine.number != number) continue;
    std::string name(big ? machine.big : machine.little);
    if (number == EM_MIPS && head[EI_CLASS] == ELFCLASS64) name = big ? "mips64" : "mips64le";
    return name.empty() ? std::nullopt : std::optional(name);
  }
  return std::nullopt;
}

bool has_binfmt_handler(const std::string& binfmt_dir, std::string_view head) {
  auto names = list_dir(binfmt_dir);
  if (!names) return false;
  return std::any_of(names->begin(), names->end(), [&](const std::string& name) {
    if (name == "register" || name == "status") return false;
    auto entry = read_file(path_join(binfmt_dir, name), 65536);
    return entry && handler_takes(*entry, head);
  });
}

Result<std::optional<Notice>> check_architecture(const GuestView& view, const std::string& program,
                                                 const Metadata& metadata, const HostFacts& host) {
  auto own = image::platform_of_machine(host.machine).architecture;
  auto head = read_head(view, program);
  if (auto file = elf_architecture(head); file && !runs_on(own, *file) && !has_binfmt_handler(host.binfmt_dir, head)) {
    return fail(Code::unsupported, "cannot execute " + program + ": it is a program for " + *file +
                                       " and this host is " + own +
                                       "; use an image for this host (pull --platform=linux/" + own +
                                       ") or register qemu for " + *file + " with binfmt_misc");
  }
  auto said = metadata.platform.normalized().architecture;
  if (said.empty() || said == "unknown" || runs_on(own, said)) return std::optional<Notice>();
  return std::optional(Notice{log::Level::warning,
                              "host and container architectures mismatch (host " + own + ", container " + said + ")"});
}

}  // namespace udk::container
