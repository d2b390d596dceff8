#include <algorithm>
#include <utility>

#include "archive/block_reader.hpp"
#include "archive/entry_path.hpp"
#include "archive/layer_stream.hpp"
#include "archive/tar_reader.hpp"
#include "base/path.hpp"
#include "transfer/members.hpp"

namespace udk::transfer {
namespace {

// Of the members of a tree; an archive of images has far less: 200 000 are enough for hundreds in the oldest format.
constexpr std::uint64_t k_share_of_entries = 100;
// From one symbolic link to the next.
constexpr int k_max_links = 8;

Unexpected refuse(std::string_view name, const std::string& what) {
  return fail(Code::corrupt, "its member " + std::string(name) + " " + what);
}

// The name in the form of EntryPath.
Result<std::string> member_name(std::string_view raw, const archive::Limits& limits) {
  archive::EntryPath path;
  if (raw.starts_with('/')) return refuse(raw, "has an absolute name");
  TRY(path.assign(raw, limits.depth));
  return std::string(path.text());
}

// What a symbolic link means, as a name; links that leave the archive are refused.
Result<std::string> link_target(const std::string& name, std::string_view text) {
  if (text.starts_with('/')) return refuse(name, "is a link to the outside: " + std::string(text));
  auto words = path_split(path_dirname(name));
  if (words.size() == 1 && words[0] == ".") words.clear();
  for (auto word : path_split(text)) {
    if (word != "..") {
      words.push_back(word);
      continue;
    }
    if (words.empty()) return refuse(name, "is a link to the outside: " + std::string(text));
    words.pop_back();
  }
  std::string out;
  for (auto word : words) out = path_join(out, word);
  return out;
}

class TarMembers : public Members {
 public:
  using Members::Members;

  Result<> read(archive::TarReader& reader) {
    const auto most = std::max<std::uint64_t>(limits().entries / k_share_of_entries, 1);
    for (std::uint64_t count = 0;;) {
      TRY_ASSIGN(const archive::TarEntry* entry, reader.next());
      if (!entry) break;
      if (++count > most) return archive::too_many_entries(most);
      TRY_ASSIGN(auto name, member_name(entry->path, limits()));
      TRY(take(*entry, name, reader));
    }
    return reader.drain();
  }

  Result<store::ReceivedFile> file(const std::string& name) override {
    TRY_ASSIGN(auto at, member_name(name, limits()));
    for (int links = 0; links <= k_max_links; ++links) {
      if (auto found = files_.find(at); found != files_.end()) return found->second;
      auto link = links_.find(at);
      if (link == links_.end()) return fail(Code::not_found, name + " is not in the archive");
      at = link->second;
    }
    return refuse(name, "is a link that leads to no file");
  }

  [[nodiscard]] bool has(const std::string& name) override { return files_.contains(name) || links_.contains(name); }

 private:
  Result<> take(const archive::TarEntry& entry, const std::string& name, archive::TarReader& reader) {
    if (entry.type == archive::EntryType::directory) return {};
    if (has(name)) return refuse(name, "is there twice");
    switch (entry.type) {
      case archive::EntryType::symlink: {
        TRY_ASSIGN(links_[name], link_target(name, entry.link));
        return {};
      }
      case archive::EntryType::hardlink: {
        TRY_ASSIGN(links_[name], member_name(entry.link, limits()));
        return {};
      }
      case archive::EntryType::file:
        return take_file(entry, name, reader);
      default:
        return refuse(name, "is a device");
    }
  }

  Result<> take_file(const archive::TarEntry& entry, const std::string& name, archive::TarReader& reader) {
    const std::uint64_t size = entry.size;
    if (auto room = intake().check_room(limits(), size); !room) return fail(std::move(room).error().context(name));
    std::uint64_t at = 0;
    auto received = receive_member(intake(), name, [&]() -> Result<Bytes> {
      TRY_ASSIGN(auto piece, reader.data());
      // No tool for images writes holes, which cost an attacker nothing.
      const bool ends = piece.bytes.empty();
      if (piece.offset != at || (ends && at != size)) return refuse(name, "is stored as a sparse file");
      at += piece.bytes.size();
      return piece.bytes;
    });
    if (!received) return fail(std::move(received).error());
    files_.emplace(name, std::move(*received));
    return {};
  }

  std::map<std::string, store::ReceivedFile> files_;
  std::map<std::string, std::string> links_;
};

}  // namespace

Result<std::unique_ptr<Members>> read_members(int fd, const Cancelled& cancelled, store::Intake& intake,
                                              const archive::Limits& limits) {
  archive::LayerStream stream(std::make_unique<InputSource>(fd, cancelled), {}, {}, archive::size_limits(limits),
                              archive::PlainDigest::skipped);
  auto blocks = archive::read_blocks(stream);
  archive::TarReader reader(*blocks);
  auto members = std::make_unique<TarMembers>(intake, limits);
  TRY(members->read(reader));
  return members;
}

}  // namespace udk::transfer
