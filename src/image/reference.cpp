#include "image/reference.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace udk::image {
namespace {

// Limits of distribution's `reference` package.
constexpr std::size_t k_max_name = 255;
constexpr std::size_t k_max_tag = 128;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alnum(char c) { return is_digit(c) || is_lower(c) || is_upper(c); }
bool is_word(char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; }

Unexpected bad(std::string_view text, const std::string& why) {
  return fail(Code::usage, "invalid image name '" + printable(text.substr(0, 300)) + "': " + why);
}

// One directory name of the local repository.
bool is_component(std::string_view text) {
  return !text.empty() && text != "." && text != ".." && std::all_of(text.begin(), text.end(), is_word);
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit) &&
         parse_uint(text) <= 65535;
}

// host, host:port, [v6]:port
bool is_domain(std::string_view text) {
  if (text.substr(0, 1) == "[") {
    auto close = text.find(']');
    if (close == std::string_view::npos) return false;
    auto address = text.substr(1, close - 1);
    bool hex = !address.empty() && std::all_of(address.begin(), address.end(), [](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':';
    });
    auto rest = text.substr(close + 1);
    return hex && (rest.empty() || (rest[0] == ':' && is_port(rest.substr(1))));
  }
  auto colon = text.find(':');
  if (colon != std::string_view::npos && !is_port(text.substr(colon + 1))) return false;
  for (auto label : split(text.substr(0, colon), '.')) {
    bool good = !label.empty() && is_alnum(label.front()) && is_alnum(label.back()) &&
                std::all_of(label.begin(), label.end(), [](char c) { return is_alnum(c) || c == '-'; });
    if (!good) return false;
  }
  return true;
}

// The first part is a registry if it cannot be the beginning of a path: docker's rule.
bool looks_like_domain(std::string_view first) {
  return first.find_first_of(".:[") != std::string_view::npos || first == "localhost";
}

struct Pieces {
  std::string_view name, tag, digest;
};

Result<Pieces> cut(std::string_view text) {
  Pieces out{text, {}, {}};
  if (auto at = text.find('@'); at != std::string_view::npos) {
    out.name = text.substr(0, at);
    out.digest = text.substr(at + 1);
    if (out.digest.empty()) return bad(text, "nothing after '@'");
  } else {
    // The Python tool lists an image pulled by digest as NAME:sha256:HEX.
    for (std::string_view mark : {":sha256:", ":sha512:"}) {
      auto found = text.rfind(mark);
      if (found == std::string_view::npos || text.find('/', found) != std::string_view::npos) continue;
      out.name = text.substr(0, found);
      out.digest = text.substr(found + 1);
    }
  }
  auto slash = out.name.rfind('/');
  auto colon = out.name.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon == std::string_view::npos) return out;
  out.tag = out.name.substr(colon + 1);
  out.name = out.name.substr(0, colon);
  if (out.tag.empty()) return bad(text, "nothing after ':'");
  return out;
}

// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_remote_component(std::string_view text) {
  auto plain = [](char c) { return is_lower(c) || is_digit(c); };
  if (text.empty() || !plain(text.front()) || !plain(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (plain(text[i])) {
      ++i;
      continue;
    }
    auto end = i;
    while (end < text.size() && !plain(text[end])) ++end;
    auto gap = text.substr(i, end - i);
    bool dashes = std::all_of(gap.begin(), gap.end(), [](char c) { return c == '-'; });
    if (gap != "." && gap != "_" && gap != "__" && !dashes) return false;
    i = end;
  }
  return true;
}

}  // namespace

Result<Reference> Reference::parse(std::string_view text) {
  if (text.empty()) return fail(Code::usage, "must specify image:tag or repository/image:tag");
  if (text.find("://") != std::string_view::npos)
    return bad(text, "a URL is not an image name; write HOST/NAME:TAG, or give the registry with --registry");
  TRY_ASSIGN(auto pieces, cut(text));
  Reference out;
  out.repository_ = pieces.name;
  if (pieces.name.empty()) return bad(text, "the name is missing");
  if (pieces.name.size() > k_max_name) return bad(text, "the name is longer than 255 characters");

  auto path = pieces.name;
  auto slash = path.find('/');
  if (slash != std::string_view::npos && looks_like_domain(path.substr(0, slash))) {
    out.domain_ = path.substr(0, slash);
    if (!is_domain(out.domain_)) return bad(text, "'" + printable(out.domain_) + "' is not a registry's HOST[:PORT]");
    path.remove_prefix(slash + 1);
  }
  for (auto component : split(path, '/'))
    if (!is_component(component))
      return bad(text, "'" + printable(component) + "' is not a name (letters, digits and . _ - expected)");
  out.path_ = path;

  if (!pieces.tag.empty() && (!is_component(pieces.tag) || pieces.tag.size() > k_max_tag))
    return bad(text, "'" + printable(pieces.tag) + "' is not a tag (at most 128 letters, digits and . _ - expected)");
  out.tag_ = pieces.tag;
  if (!pieces.digest.empty()) {
    auto digest = Digest::parse(pieces.digest);
    if (!digest) return bad(text, digest.error().text);
    out.digest_ = std::move(*digest);
  }
  return out;
}

std::string Reference::tag() const {
  if (digest_) return digest_->text();
  return tag_.empty() ? "latest" : tag_;
}

bool is_docker_hub_name(std::string_view domain) {
  return domain == "docker.io" || domain == "index.docker.io" || domain == "registry-1.docker.io";
}

bool Reference::is_docker_hub() const { return domain_.empty() || is_docker_hub_name(domain_); }

std::string Reference::remote_repository() const {
  bool lone = path_.find('/') == std::string::npos;
  return is_docker_hub() && lone ? "library/" + path_ : path_;
}

Result<> Reference::check_remote() const {
  for (auto component : split(path_, '/')) {
    if (is_remote_component(component)) continue;
    bool upper = std::any_of(component.begin(), component.end(), is_upper);
    return bad(repository_, upper ? "names at a registry are in lower case"
                                  : "'" + printable(component) + "' cannot be a name at a registry");
  }
  if (!tag_.empty() && !is_alnum(tag_.front()) && tag_.front() != '_')
    return bad(name(), "a tag begins with a letter, a digit or _");
  return {};
}

}  // namespace udk::image
