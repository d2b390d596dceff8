#include "registry/search.hpp"

#include <nlohmann/json.hpp>

#include "registry/call.hpp"
#include "registry/errors.hpp"

namespace udk::registry {
namespace {

using nlohmann::json;

constexpr std::size_t k_max_results = std::size_t{4} << 20;

std::string first_text(const json& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (auto at = object.find(key); at != object.end() && at->is_string()) return at->get<std::string>();
  return "";
}

std::optional<std::uint64_t> number(const json& object, const char* key) {
  auto at = object.find(key);
  if (at == object.end() || !at->is_number_unsigned()) return std::nullopt;
  return at->get<std::uint64_t>();
}

SearchHit hit_of(const json& result) {
  const auto official = result.find("is_official");
  return {first_text(result, {"repo_name", "name"}), first_text(result, {"short_description", "description"}),
          official != result.end() && official->is_boolean() && official->get<bool>(),
          number(result, "star_count").value_or(0)};
}

// v2 counts all hits, v1 the pages; a server that tells neither ends with a page without hits.
bool is_last(const json& answer, SearchInterface interface, const SearchQuery& query) {
  const auto total = number(answer, interface == SearchInterface::v2 ? "count" : "num_pages");
  if (!total) return false;
  return interface == SearchInterface::v2 ? query.page * query.page_size >= *total : query.page >= *total;
}

std::string path_of(SearchInterface interface, const SearchQuery& query) {
  if (interface == SearchInterface::v1)
    return "/v1/search?q=" + percent_encode(query.expression) + "&n=" + std::to_string(query.page_size) +
           "&page=" + std::to_string(query.page);
  return "/v2/search/repositories?query=" + percent_encode(query.expression.empty() ? "*" : query.expression) +
         "&page_size=" + std::to_string(query.page_size) + "&page=" + std::to_string(query.page);
}

}  // namespace

Result<std::optional<SearchPage>> get_search_page(Session& session, SearchInterface interface,
                                                  const SearchQuery& query) {
  CallSpec spec;
  spec.what = "search";
  spec.path = path_of(interface, query);
  spec.headers = {"Accept: application/json"};
  TRY_ASSIGN(const auto response, run_call(session, std::move(spec), k_max_results));
  const auto server = session.base().authority();
  if (response.status == 404 && query.page > 1) return SearchPage{{}, true};  // behind the last one
  if (response.status == 404 || response.status == 405) return std::optional<SearchPage>();
  if (response.status != 200) return fail(status_error(response, "search", server, "udocker login"));
  const auto answer = json::parse(response.body, nullptr, false);
  const auto results = answer.is_object() ? answer.find("results") : answer.end();
  if (!answer.is_object() || results == answer.end() || !results->is_array()) return std::optional<SearchPage>();
  SearchPage page;
  for (const auto& result : *results)
    if (result.is_object()) page.hits.push_back(hit_of(result));
  page.last = page.hits.empty() || is_last(answer, interface, query);
  return page;
}

}  // namespace udk::registry
