#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace udk::archive::test {

// One member of an archive as its header says it.
struct Member {
  std::string path;
  char type = '0';
  std::string content = {};
  std::string link = {};
  std::uint32_t mode = 0644;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::int64_t mtime = 1'000'000'000;
};

// Writes tar archives byte by byte, the odd ones too.
class TarBuilder {
 public:
  TarBuilder& add(const Member& member);
  TarBuilder& file(const std::string& path, const std::string& content = {}, std::uint32_t mode = 0644);
  TarBuilder& dir(const std::string& path, std::uint32_t mode = 0755);
  TarBuilder& symlink(const std::string& path, const std::string& target);
  TarBuilder& hardlink(const std::string& path, const std::string& target);
  // An extended header for the next member.
  TarBuilder& pax(const std::vector<std::pair<std::string, std::string>>& records, char type = 'x');
  // The name (type 'L') or link (type 'K') of the next member in GNU's way.
  TarBuilder& gnu_long(char type, const std::string& text);
  TarBuilder& raw(const std::string& bytes);
  // With the two zero blocks.
  [[nodiscard]] std::string finish() const;
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

  static std::string header(const Member& member, std::uint64_t size);
  static std::string padded(std::string bytes);
  static void set_checksum(std::string& header);

 private:
  std::string bytes_;
};

std::string gzip(const std::string& data);
std::string zstd(const std::string& data);
std::string xz(const std::string& data);
std::string bzip2(const std::string& data);

}  // namespace udk::archive::test
