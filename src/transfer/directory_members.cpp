#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "archive/entry_path.hpp"
#include "base/file.hpp"
#include "transfer/members.hpp"

namespace udk::transfer {
namespace {

constexpr std::size_t k_piece = std::size_t{256} << 10;

// Build systems make layouts of symbolic links to their caches, so links are followed; a blob has the content that its
// digest says wherever it comes from.
class DirectoryMembers : public Members {
 public:
  DirectoryMembers(Fd dir, Cancelled cancelled, store::Intake& intake, const archive::Limits& limits)
      : Members(intake, limits), dir_(std::move(dir)), cancelled_(std::move(cancelled)) {}

  Result<store::ReceivedFile> file(const std::string& name) override {
    if (auto known = files_.find(name); known != files_.end()) return known->second;
    TRY_ASSIGN(Fd fd, open(name));
    InputSource source(fd.get(), cancelled_);
    std::vector<std::byte> buffer(k_piece);
    TRY_ASSIGN(auto received, receive_member(intake(), name, [&]() -> Result<Bytes> {
                 TRY_ASSIGN(std::size_t got, source.read(buffer));
                 return Bytes(buffer).first(got);
               }));
    return files_.emplace(name, std::move(received)).first->second;
  }

  [[nodiscard]] bool has(const std::string& name) override { return open(name).has_value(); }

 private:
  Result<Fd> open(const std::string& name) {
    archive::EntryPath path;
    if (name.starts_with('/')) return fail(Code::corrupt, "the name " + name + " leads to the outside");
    TRY(path.assign(name, limits().depth));
    auto fd = open_at(dir_.get(), std::string(path.text()), O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!fd && fd.error().code == Code::not_found) return fail(Code::not_found, name + " is not in the directory");
    if (!fd) return fd;
    struct stat status {};
    if (::fstat(fd->get(), &status) != 0) return fail_errno(errno, name);
    if (!S_ISREG(status.st_mode)) return fail(Code::corrupt, name + " is no file");
    return fd;
  }

  Fd dir_;
  Cancelled cancelled_;
  std::map<std::string, store::ReceivedFile> files_;
};

}  // namespace

std::unique_ptr<Members> members_of_directory(Fd dir, const Cancelled& cancelled, store::Intake& intake,
                                              const archive::Limits& limits) {
  return std::make_unique<DirectoryMembers>(std::move(dir), cancelled, intake, limits);
}

}  // namespace udk::transfer
