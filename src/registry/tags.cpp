#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "registry/call.hpp"
#include "registry/errors.hpp"
#include "registry/manifests.hpp"

namespace udk::registry {
namespace {

constexpr std::size_t k_max_page = std::size_t{16} << 20;
constexpr std::size_t k_max_pages = 1000;

Result<> add_tags(const std::string& body, const std::string& what, std::vector<std::string>& out) {
  auto document = nlohmann::json::parse(body, nullptr, false);
  if (!document.is_object()) return fail(Code::corrupt, what + ": the answer is not a JSON object");
  auto tags = document.find("tags");
  // A repository without tags has null here.
  if (tags == document.end() || !tags->is_array()) return {};
  for (const auto& tag : *tags)
    if (tag.is_string()) out.push_back(tag.get<std::string>());
  return {};
}

}  // namespace

Result<std::vector<std::string>> get_tags(Session& session, const std::string& repository) {
  std::vector<std::string> out;
  CallSpec spec;
  spec.what = "list of tags of " + repository;
  spec.path = "/v2/" + repository + "/tags/list?n=1000";
  spec.scope = pull_scope(repository);
  spec.headers = {"Accept: application/json"};
  for (std::size_t page = 0; page < k_max_pages; ++page) {
    TRY_ASSIGN(auto response, run_call(session, spec, k_max_page));
    if (response.status != 200)
      return fail(status_error(response, spec.what, session.base().authority(),
                               login_command(session.options().registry_url, session.is_docker_hub())));
    TRY(add_tags(response.body, spec.what, out));
    auto link = next_link(response.header("link"));
    if (link.empty()) return out;
    TRY_ASSIGN(auto here, spec.url ? Result<Url>(*spec.url) : session.url(spec.path));
    auto next = here.resolve(link);
    if (!next || next->origin() != here.origin())
      return fail(Code::corrupt, spec.what + ": the link to the next page leads elsewhere: refused");
    spec.url = std::move(*next);
  }
  return fail(Code::corrupt, spec.what + ": too many pages");
}

}  // namespace udk::registry
