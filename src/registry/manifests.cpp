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

}  // namespace

std::string pull_scope(const std::string& repository) { return "repository:" + repository + ":pull"; }

Result<VerifiedDocument> get_manifest(Session& session, const std::string& repository, const std::string& tag,
                                      const std::optional<Digest>& digest, const std::string& what) {
  for (bool again = false;; again = true) {
    TRY_ASSIGN(auto response, run_call(session, manifest_call(repository, tag, what), image::k_max_manifest_size));
    if (response.status != 200)
      return fail(status_error(response, what, session.base().authority(), login_of(session)));
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
                         const image::Platform& platform, image::Fit fit, const std::string& what) {
  std::optional<Digest> index_digest;
  for (unsigned depth = 0; depth <= k_max_index_depth; ++depth) {
    if (auto* manifest = std::get_if<image::Manifest>(&document.document)) {
      if (auto ok = manifest->check_is_image(); !ok) return fail(std::move(ok).error().context(what));
      return Resolved{std::move(*manifest), std::move(document.digest), std::move(index_digest), repository};
    }
    if (!index_digest) index_digest = document.digest;
    auto entry = std::get<image::Index>(document.document).choose(platform, fit);
    if (!entry) return fail(std::move(entry).error().context(what));
    TRY_ASSIGN(document, get_manifest(session, repository, *entry, what));
  }
  return fail(Code::unsupported, what + ": its indexes are nested too deeply");
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
