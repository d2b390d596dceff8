#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "archive/limits.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "store/intake.hpp"
#include "transfer/input.hpp"

namespace udk::transfer {

// The files of an archive of images, or of a directory that is laid out alike, by their names in it. They are copied to
// the intake, hashed; one whose name says its digest (blobs/sha256/HEX) has that content.
class Members {
 public:
  Members(store::Intake& intake, const archive::Limits& limits) : intake_(&intake), limits_(limits) {}
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;
  virtual ~Members() = default;

  // Code::not_found; Code::corrupt for a name that leads outside.
  virtual Result<store::ReceivedFile> file(const std::string& name) = 0;
  [[nodiscard]] virtual bool has(const std::string& name) = 0;
  // Small ones, such as documents.
  Result<std::string> text(const std::string& name, std::size_t most = std::size_t{16} << 20);
  // A file that is not in the archive.
  Result<store::ReceivedFile> add(std::string_view content) { return intake_->add(content); }

  [[nodiscard]] const archive::Limits& limits() const { return limits_; }

 protected:
  [[nodiscard]] store::Intake& intake() { return *intake_; }

 private:
  store::Intake* intake_;
  archive::Limits limits_;
};

// Where a blob lies in an OCI layout: "blobs/sha256/HEX".
std::string blob_member(const image::Digest& digest);
// Receives one file piece by piece; the name may say the digest.
Result<store::ReceivedFile> receive_member(store::Intake& intake, const std::string& name,
                                           const std::function<Result<Bytes>()>& next);

// Reads a tar archive, which may be compressed, to its end. Refused: names that leave it, absolute ones, links that do,
// devices, two members of one name. Code::corrupt, Code::excessive.
Result<std::unique_ptr<Members>> read_members(int fd, const Cancelled& cancelled, store::Intake& intake,
                                              const archive::Limits& limits);
// Files are read when they are asked for.
std::unique_ptr<Members> members_of_directory(Fd dir, const Cancelled& cancelled, store::Intake& intake,
                                              const archive::Limits& limits);

}  // namespace udk::transfer
