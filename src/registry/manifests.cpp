#include "registry/manifests.hpp"

#include "base/text.hpp"
#include "image/media_type.hpp"
#include "registry/call.hpp"
#include "registry/errors.hpp"

namespace udk::registry {
namespace {

using image::Descriptor;
using image::Digest;
using image::Document;

// An index of indexes of ... is legal; nobody needs more levels than this.
constexpr unsigned k_max_index_depth = 8;
// So many documents are fetched for one image at most.
constexpr unsigned k_max_documents = 32;

std::string login_of(const Session& session) {
  return login_command(session.options().registry_url, session.is_docker_hub());
}

CallSpec manifest_call(const std::string& repository, const std::string& tag, const std::string& what) {
  using namespace image::media_type;
  CallSpec spec;
  spec.what = what;
  spec.path = "/v2/" + repository + "/manifests/" + tag;
  spec.scope = pull_scope(repository);
  // The obsolete type comes last: without it some registries answer "not found", and the user would not learn why.
  std::string accept = "Accept: ";
  for (auto type : {k_docker_manifest, k_docker_list, k_oci_manifest, k_oci_index}) accept += std::string(type) + ", ";
  spec.headers.push_back(accept + std::string(k_docker_schema1_signed));
  return spec;
}

Result<Digest> check_digest(const Response& response, const std::optional<Digest>& wanted) {
  auto announced = Digest::parse(trim(response.header("docker-content-digest")));
  if (wanted) {
    auto found = Digest::of(response.body, wanted->kind());
    if (found != *wanted)
      return fail(Code::corrupt, "the bytes received have the digest " + found.text() + ", not " + wanted->text());
  }
  if (announced) {
    auto found = Digest::of(response.body, announced->kind());
    if (found != *announced)
      return fail(Code::corrupt,
                  "the bytes received have the digest " + found.text() + ", announced was " + announced->text());
  }
  if (wanted) return *wanted;
  return announced ? *announced : Digest::of(response.body);
}

const std::string& type_of(const Document& document) {
  return std::visit([](const auto& d) -> const std::string& { return d.media_type; }, document);
}

const std::string& raw_of(const Document& document) {
  return std::visit([](const auto& d) -> const std::string& { return d.raw; }, document);
}

// The search through indexes of indexes, the best entries first. What an entry without platform leads to shows only
// inside: where it has nothing for us, the next one is asked.
class Descent {
 public:
  Descent(Session& session, const std::string& repository, std::span<const image::Platform> wanted,
          const std::string& what)
      : session_(session), repository_(repository), wanted_(wanted), what_(what) {}

  Result<Resolved> run(VerifiedDocument document) {
    const auto digest = document.digest;
    const bool is_index = std::holds_alternative<image::Index>(document.document);
    TRY_ASSIGN(auto found, enter(std::move(document), 0, false));
    if (is_index) found.index_digest = digest;
    return found;
  }

 private:
  // NOLINTNEXTLINE(misc-no-recursion): as deep as k_max_index_depth
  Result<Resolved> enter(VerifiedDocument document, unsigned depth, bool platform_known) {
    if (auto* manifest = std::get_if<image::Manifest>(&document.document)) {
      if (auto ok = manifest->check_is_image(); !ok) return fail(std::move(ok).error().context(what_));
      return Resolved{std::move(*manifest), std::move(document.digest), std::nullopt, platform_known, repository_};
    }
    if (depth == k_max_index_depth) return fail(Code::unsupported, what_ + ": its indexes are nested too deeply");
    auto entries = std::get<image::Index>(document.document).candidates(wanted_);
    if (!entries) return fail(std::move(entries).error().context(what_));
    std::optional<Error> first;
    for (const auto& entry : *entries) {
      auto found = follow(entry, depth);
      if (found || entry.platform || found.error().code != Code::not_found) return found;
      if (!first) first = std::move(found).error();
    }
    return fail(std::move(*first));
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  Result<Resolved> follow(const Descriptor& entry, unsigned depth) {
    if (++documents_ > k_max_documents) return fail(Code::unsupported, what_ + ": it has too many indexes in indexes");
    TRY_ASSIGN(auto document, get_manifest(session_, repository_, entry, what_));
    return enter(std::move(document), depth + 1, entry.platform.has_value());
  }

  Session& session_;
  const std::string& repository_;
  std::span<const image::Platform> wanted_;
  const std::string& what_;
  unsigned documents_ = 0;
};

}  // namespace

std::string pull_scope(const std::string& repository) { return "repository:" + repository + ":pull"; }

Result<VerifiedDocument> get_manifest(Session& session, const std::string& repository, const std::string& tag,
                                      const std::optional<Digest>& digest, const std::string& what) {
  for (bool again = false;; again = true) {
    TRY_ASSIGN(auto response, run_call(session, manifest_call(repository, tag, what), image::k_max_manifest_size));
    if (response.status != 200) {
      auto error = status_error(response, what, session.base().authority(), login_of(session));
      if (response.status == 404) error.text += ": check the name and the tag";
      return fail(std::move(error));
    }
    auto found = check_digest(response, digest);
    if (!found && !again) continue;
    if (!found) return fail(std::move(found).error().context(what + " at " + session.base().authority()));
    auto document = image::parse_document(std::move(response.body), response.header("content-type"));
    if (!document) return fail(std::move(document).error().context(what + " at " + session.base().authority()));
    return VerifiedDocument{std::move(*document), std::move(*found)};
  }
}

Result<VerifiedDocument> get_manifest(Session& session, const std::string& repository, const Descriptor& descriptor,
                                      const std::string& what) {
  TRY_ASSIGN(auto out, get_manifest(session, repository, descriptor.digest.text(), descriptor.digest, what));
  if (raw_of(out.document).size() != descriptor.size)
    return fail(Code::corrupt, what + ": the size of " + descriptor.digest.text() + " is not what the index says");
  bool typed = image::media_type::kind_of(descriptor.media_type) != image::media_type::Kind::other;
  if (typed && type_of(out.document) != descriptor.media_type)
    return fail(Code::corrupt, what + ": " + descriptor.digest.text() + " is of type " +
                                   printable(type_of(out.document)) + ", but the index says " +
                                   printable(descriptor.media_type) + ": refused");
  return out;
}

Result<Resolved> descend(Session& session, const std::string& repository, VerifiedDocument document,
                         std::span<const image::Platform> wanted, const std::string& what) {
  return Descent(session, repository, wanted, what).run(std::move(document));
}

std::string next_link(std::string_view header) {
  for (auto link : split(header, ',')) {
    auto open = link.find('<');
    auto close = link.find('>');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) continue;
    for (auto param : split(link.substr(close + 1), ';')) {
      auto text = to_lower(trim(param));
      if (text == "rel=\"next\"" || text == "rel=next") return std::string(link.substr(open + 1, close - open - 1));
    }
  }
  return "";
}

}  // namespace udk::registry
