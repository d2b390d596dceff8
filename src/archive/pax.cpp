#include "archive/pax.hpp"

#include "base/text.hpp"

namespace udk::archive {
namespace {

constexpr long k_second = 1'000'000'000;

Unexpected bad(std::string_view what) {
  return fail(Code::corrupt, "the tar archive is damaged: " + printable(what) + " in an extended header");
}

// "[-]SECONDS[.FRACTION]"; digits beyond nanoseconds are cut off downwards.
std::optional<timespec> parse_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  auto seconds = parse_uint(text.substr(0, dot));
  if (!seconds || *seconds >= static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  std::string fraction(dot == std::string_view::npos ? "" : text.substr(dot + 1));
  if (fraction.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  fraction.resize(9, '0');
  auto nanoseconds = static_cast<long>(*parse_uint(fraction));
  auto whole = static_cast<std::int64_t>(*seconds);
  if (!negative) return timespec{whole, nanoseconds};
  if (nanoseconds == 0) return timespec{-whole, 0};
  return timespec{-whole - 1, k_second - nanoseconds};
}

// The highest number means "no user" to the kernel.
std::optional<std::uint32_t> parse_id(std::string_view text) {
  auto number = parse_uint(text);
  if (!number || *number >= UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

template <class T>
Result<> store(std::optional<T>& into, std::optional<T> value, std::string_view key) {
  if (!value) return bad("no valid value of " + std::string(key));
  into = std::move(value);
  return {};
}

Result<> store_name(std::optional<std::string>& into, std::string_view value, std::string_view key) {
  if (value.find('\0') != std::string_view::npos) return bad("a NUL character in " + std::string(key));
  into = value;
  return {};
}

}  // namespace

Result<> PaxAttributes::parse(std::string_view records) {
  while (!records.empty()) {
    // "LENGTH KEY=VALUE\n", the length being that of all of it.
    const std::size_t blank = records.find(' ');
    auto length = parse_uint(records.substr(0, blank));
    if (blank == std::string_view::npos || !length || *length > records.size() || *length < blank + 2)
      return bad("a wrong length");
    std::string_view record = records.substr(blank + 1, *length - blank - 1);
    records.remove_prefix(*length);
    const std::size_t equals = record.find('=');
    if (!record.ends_with('\n') || equals == std::string_view::npos || equals == 0) return bad("no valid record");
    record.remove_suffix(1);
    TRY(take(record.substr(0, equals), record.substr(equals + 1)));
  }
  return {};
}

Result<> PaxAttributes::take(std::string_view key, std::string_view value) {
  if (key.starts_with("GNU.sparse.")) return take_sparse(key.substr(11), value);
  // An empty value takes back what another header said.
  if (key == "path") return value.empty() ? (path.reset(), Result<>()) : store_name(path, value, key);
  if (key == "linkpath") return value.empty() ? (link.reset(), Result<>()) : store_name(link, value, key);
  if (key == "size") return value.empty() ? (size.reset(), Result<>()) : store(size, parse_uint(value), key);
  if (key == "uid") return value.empty() ? (uid.reset(), Result<>()) : store(uid, parse_id(value), key);
  if (key == "gid") return value.empty() ? (gid.reset(), Result<>()) : store(gid, parse_id(value), key);
  if (key == "mtime") return value.empty() ? (mtime.reset(), Result<>()) : store(mtime, parse_time(value), key);
  return {};
}

Result<> PaxAttributes::take_sparse(std::string_view key, std::string_view value) {
  if (key == "name") return store_name(sparse_name, value, key);
  if (key == "size" || key == "realsize") return store(sparse_size, parse_uint(value), key);
  if (key == "major") {
    if (value != "0" && value != "1") return bad("an unknown version of sparse files");
    has_map_in_content = value == "1";
    return {};
  }
  if (key == "minor" || key == "numblocks") return {};
  has_pieces = true;
  if (key == "offset") {
    auto offset = parse_uint(value);
    if (!offset) return bad("no valid offset");
    pieces.push_back({*offset, 0});
    return {};
  }
  if (key == "numbytes") {
    auto count = parse_uint(value);
    if (!count || pieces.empty()) return bad("no valid size");
    pieces.back().size = *count;
    return {};
  }
  if (key != "map") return bad("an unknown attribute of sparse files");
  auto numbers = parse_number_list(value, ',');
  if (!numbers || numbers->size() % 2 != 0) return bad("no valid map of a sparse file");
  pieces.clear();
  for (std::size_t i = 0; i < numbers->size(); i += 2) pieces.push_back({(*numbers)[i], (*numbers)[i + 1]});
  return {};
}

std::optional<std::vector<std::uint64_t>> parse_number_list(std::string_view text, char separator) {
  std::vector<std::uint64_t> numbers;
  if (text.empty()) return numbers;
  for (std::string_view part : split(text, separator)) {
    auto number = parse_uint(part);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace udk::archive
