#include "archive/tar_writer.hpp"

#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace udk::archive {
namespace {

// Offset and size of the fields of a header.
struct Field {
  std::size_t offset, size;
};
constexpr Field k_name{0, 100}, k_mode{100, 8}, k_uid{108, 8}, k_gid{116, 8}, k_size{124, 12}, k_mtime{136, 12},
    k_checksum{148, 8}, k_link{157, 100}, k_major{329, 8}, k_minor{337, 8}, k_name_prefix{345, 155};
constexpr std::size_t k_type = 156, k_magic = 257;
constexpr char k_extended = 'x';
constexpr long k_second = 1'000'000'000;

using Header = std::array<char, k_tar_block>;

// The largest number that a field has digits for.
constexpr std::uint64_t largest(Field field) { return (std::uint64_t{1} << (3 * (field.size - 1))) - 1; }

void put_text(Header& header, Field field, std::string_view text) {
  text.copy(header.data() + field.offset, field.size);
}

// One that does not fit stands in the extended header.
void put_number(Header& header, Field field, std::uint64_t value) {
  value = std::min(value, largest(field));
  for (std::size_t i = field.size - 1; i-- > 0; value >>= 3)
    header[field.offset + i] = static_cast<char>('0' + (value & 7U));
}

void put_checksum(Header& header) {
  std::fill_n(header.begin() + k_checksum.offset, k_checksum.size, ' ');
  unsigned sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  put_number(header, {k_checksum.offset, k_checksum.size - 1}, sum);
  header[k_checksum.offset + k_checksum.size - 2] = '\0';
}

// Where a name of more than 100 bytes is cut in prefix and name; npos if it cannot be.
std::size_t cut_of(std::string_view name) {
  const std::size_t first = name.size() - k_name.size - 1;
  const std::size_t cut = name.find('/', first);
  return cut != 0 && cut <= k_name_prefix.size && cut + 1 < name.size() ? cut : std::string_view::npos;
}

bool fits(std::string_view name) { return name.size() <= k_name.size || cut_of(name) != std::string_view::npos; }

void put_name(Header& header, std::string_view name) {
  if (name.size() > k_name.size && fits(name)) {
    const std::size_t cut = cut_of(name);
    put_text(header, k_name_prefix, name.substr(0, cut));
    name.remove_prefix(cut + 1);
  }
  put_text(header, k_name, name);
}

void append_block(std::string& out, const Member& member, char type) {
  Header header{};
  put_name(header, member.name);
  put_number(header, k_mode, member.mode);
  put_number(header, k_uid, member.uid);
  put_number(header, k_gid, member.gid);
  put_number(header, k_size, member.size);
  put_number(header, k_mtime, static_cast<std::uint64_t>(std::max<std::int64_t>(member.mtime.tv_sec, 0)));
  header[k_type] = type;
  put_text(header, k_link, member.link);
  std::memcpy(header.data() + k_magic, "ustar\00000", 8);
  put_number(header, k_major, ::major(member.device));
  put_number(header, k_minor, ::minor(member.device));
  put_checksum(header);
  out.append(header.data(), header.size());
}

// "LENGTH KEY=VALUE\n", the length being that of all of it.
void append_record(std::string& out, std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + std::to_string(rest).size();
  length = rest + std::to_string(length).size();
  (((out += std::to_string(length)) += ' ') += key) += '=';
  (out += value) += '\n';
}

std::string time_text(timespec time) {
  std::int64_t seconds = time.tv_sec;
  long nanoseconds = time.tv_nsec;
  std::string sign;
  if (seconds < 0) {
    // The fraction counts away from zero, too.
    sign = "-";
    seconds = -seconds - (nanoseconds != 0 ? 1 : 0);
    nanoseconds = nanoseconds != 0 ? k_second - nanoseconds : 0;
  }
  std::string text = sign + std::to_string(seconds);
  if (nanoseconds != 0) text += '.' + std::to_string(k_second + nanoseconds).substr(1);
  return text;
}

// The records for what the header has no room for.
std::string records_for(const Member& member) {
  std::string out;
  if (!fits(member.name)) append_record(out, "path", member.name);
  if (member.link.size() > k_link.size) append_record(out, "linkpath", member.link);
  if (member.size > largest(k_size)) append_record(out, "size", std::to_string(member.size));
  if (member.uid > largest(k_uid)) append_record(out, "uid", std::to_string(member.uid));
  if (member.gid > largest(k_gid)) append_record(out, "gid", std::to_string(member.gid));
  const timespec& time = member.mtime;
  if (time.tv_nsec != 0 || time.tv_sec < 0 || static_cast<std::uint64_t>(time.tv_sec) > largest(k_mtime))
    append_record(out, "mtime", time_text(time));
  return out;
}

void append_extended(std::string& out, std::string_view name, const std::string& records) {
  if (records.empty()) return;
  // Who does not know extended headers makes a file of this name of it.
  std::string own("PaxHeaders/");
  own += name.substr(0, k_name.size - own.size());
  while (own.ends_with('/')) own.pop_back();
  Member header;
  header.name = own;
  header.size = records.size();
  append_block(out, header, k_extended);
  out += records;
  out.append(padding_after(records.size()), '\0');
}

}  // namespace

void append_header(std::string& out, const Member& member) {
  append_extended(out, member.name, records_for(member));
  append_block(out, member, static_cast<char>(member.type));
}

void append_sparse_header(std::string& out, const Member& member, std::span<const FileExtent> extents) {
  std::string map = std::to_string(extents.size() + 1) + '\n';
  std::uint64_t stored = 0;
  for (const FileExtent& extent : extents) {
    map += std::to_string(extent.offset) + '\n' + std::to_string(extent.size) + '\n';
    stored += extent.size;
  }
  // An empty piece at the end, as GNU tar writes it for a hole there.
  map += std::to_string(member.size) + "\n0\n";
  map.append(padding_after(map.size()), '\0');
  std::string records;
  append_record(records, "GNU.sparse.major", "1");
  append_record(records, "GNU.sparse.minor", "0");
  append_record(records, "GNU.sparse.name", member.name);
  append_record(records, "GNU.sparse.realsize", std::to_string(member.size));
  Member shown = member;
  // Who does not know of holes makes files of such names.
  std::string name("GNUSparseFile.0/");
  name += member.name.substr(0, k_name.size - name.size());
  shown.name = name;
  shown.size = map.size() + stored;
  append_extended(out, member.name, records + records_for(shown));
  append_block(out, shown, static_cast<char>(shown.type));
  out += map;
}

}  // namespace udk::archive
