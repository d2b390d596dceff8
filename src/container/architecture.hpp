#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "container/build.hpp"
#include "container/guest_view.hpp"
#include "container/metadata.hpp"

namespace udk::container {

// The docker name of the architecture that an ELF file is for ("amd64"), from its first 20 bytes; nullopt: no ELF file,
// or a machine without a docker name.
std::optional<std::string> elf_architecture(std::string_view head);

// Does a handler of binfmt_misc (Linux: admin-guide/binfmt-misc.rst) take a file that begins with `head`?
bool has_binfmt_handler(const std::string& binfmt_dir, std::string_view head);

// A program for another processor is an error unless the host has a handler for it; an image that says another
// architecture than the host's gives a notice. i386 on x86-64 and arm on arm64 are at home.
Result<std::optional<Notice>> check_architecture(const GuestView& view, const std::string& program,
                                                 const Metadata& metadata, const HostFacts& host);

}  // namespace udk::container
