#include "store/names.hpp"

#include <algorithm>

#include "base/path.hpp"
#include "base/text.hpp"
#include "image/digest.hpp"
#include "store/context.hpp"
#include "store/images.hpp"

namespace udk::store {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
bool is_id_char(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); }

bool is_relative_path(std::string_view text) {
  auto words = split(text, '/');
  return std::all_of(words.begin(), words.end(), is_file_name);
}

}  // namespace

bool is_file_name(std::string_view text) {
  return !text.empty() && text.size() <= 255 && text != "." && text != ".." &&
         text.find('/') == std::string_view::npos && std::none_of(text.begin(), text.end(), is_control);
}

bool is_container_id(std::string_view text) {
  auto words = split(text, '-');
  return words.size() == 5 && text.size() <= 255 && std::all_of(words.begin(), words.end(), [](std::string_view word) {
           return !word.empty() && std::all_of(word.begin(), word.end(), is_id_char);
         });
}

bool is_blob_name(std::string_view text) {
  if (image::Digest::parse(text)) return true;
  auto dot = text.rfind('.');
  if (dot == std::string_view::npos || (text.substr(dot) != ".layer" && text.substr(dot) != ".json")) return false;
  auto id = text.substr(0, dot);
  return id.size() == 64 && std::all_of(id.begin(), id.end(), is_hex);
}

Result<> check_image_name(const ImageName& name) {
  auto good = [](std::string_view text) { return is_relative_path(text) && !text.starts_with(k_state_dir); };
  if (good(name.repository) && is_relative_path(name.tag)) return {};
  return fail(Code::usage, "invalid image name '" + printable(name.text().substr(0, 300)) +
                               "': each part between slashes must be a file name, and none may be '.' or '..'");
}

std::string relative_path(const std::string& to, const std::string& from) {
  auto a = path_split(to);
  auto b = path_split(from);
  auto common = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  std::string out;
  for (auto it = common.second; it != b.end(); ++it) out = path_join(out, "..");
  for (auto it = common.first; it != a.end(); ++it) out = path_join(out, *it);
  return out.empty() ? "." : out;
}

}  // namespace udk::store
