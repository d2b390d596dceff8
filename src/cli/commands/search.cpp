#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "base/text.hpp"
#include "cli/commands/commands.hpp"
#include "cli/format.hpp"
#include "cli/interrupt.hpp"
#include "cli/lookup.hpp"
#include "cli/output.hpp"
#include "cli/prompt.hpp"
#include "cli/registry_client.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 7> k_options{{
    {"-a", Takes::nothing, "", "all pages, without a question in between", ""},
    {"--no-trunc", Takes::nothing, "", "do not cut long texts", ""},
    {"--list-tags", Takes::nothing, "", "list the tags of a repository instead", ""},
    {"--index", Takes::one_value, "URL", "index to ask", "Docker Hub's"},
    {"--registry", Takes::one_value, "URL", "registry to ask", "Docker Hub"},
    {"--httpproxy", Takes::one_value, "URL", "proxy: http, socks4, socks4a, socks5, socks5h", "the environment's"},
    k_format_option,
}};

constexpr unsigned k_default_lines = 24;

// The lines of a terminal but for header and question.
unsigned page_size() {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2;
  return (known ? size.ws_row : k_default_lines) - 2;
}

// The first line, without what a terminal would obey.
std::string one_line(const std::string& text) {
  std::string out;
  for (auto left = std::string_view(text).substr(0, text.find('\n')); !left.empty();) {
    const std::size_t controls = control_length(left);
    if (controls == 0) out += left[0];
    left.remove_prefix(std::max<std::size_t>(controls, 1));
  }
  return out;
}

std::string row_of(const registry::SearchHit& hit, bool whole) {
  const auto official = hit.official ? "[OK]" : "----";
  const auto description = one_line(hit.description);
  if (whole) return fmt::format("{:<55} {:>8} {:<70} {:>5}\n", one_line(hit.name), official, description, hit.stars);
  return fmt::format("{:<55.80} {:>8.8} {:<70.70} {:>5.5}\n", one_line(hit.name), official, description,
                     std::to_string(hit.stars));
}

Result<> put_hits(const std::vector<registry::SearchHit>& hits, const std::optional<Format>& format, bool whole) {
  std::string out;
  for (const auto& hit : hits) {
    if (!format) {
      out += row_of(hit, whole);
      continue;
    }
    TRY_ASSIGN(const auto line, format->line({{"Name", hit.name},
                                              {"Description", hit.description},
                                              {"StarCount", hit.stars},
                                              {"IsOfficial", hit.official}}));
    out += line;
  }
  put(out);
  return {};
}

// Whether the user wants another page. Only at a terminal there is somebody to ask.
bool goes_on() {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) return false;
  const auto answer = ask("[return or q to quit]", Echo::on);
  return answer && answer->find_first_of("qQeE") != 0;
}

// A registry in front of the words, as in the names of images, is asked instead; "host/" alone is one too.
struct Target {
  image::Reference reference;
  std::string expression;
};

Result<Target> target_of(const std::string& text) {
  const auto slash = text.find('/');
  const bool names_host = slash != std::string::npos && text.substr(0, slash).find_first_of(".:") != std::string::npos;
  TRY_ASSIGN(auto reference, image::Reference::parse(names_host ? text.substr(0, slash) + "/x" : "x"));
  return Target{std::move(reference), names_host ? text.substr(slash + 1) : text};
}

Result<int> search(Session& session, const Arguments& arguments, const Target& target) {
  TRY_ASSIGN(const auto format, Format::asked(arguments));
  TRY_ASSIGN(auto finder, SearchClient::create(session, target.reference, pull_options(arguments)));
  const bool all = arguments.has("a");
  registry::SearchQuery query{target.expression, 1, all ? 100 : page_size()};
  if (!format && log::enabled(log::Level::info))
    put(fmt::format("{:<55.80} {:>8.8} {:<70.70} {:>5.5}\n", "NAME", "OFFICIAL", "DESCRIPTION", "STARS"));
  for (;; ++query.page) {
    TRY_ASSIGN(const auto page, finder.page(query));
    TRY(put_hits(page.hits, format, arguments.has("no-trunc")));
    if (page.last || (!all && !goes_on())) return k_exit_ok;
  }
}

Result<int> list_tags(Session& session, const Arguments& arguments) {
  TRY_ASSIGN(const auto reference, image::Reference::parse(arguments.words[0]));
  TRY_ASSIGN(auto client, client_for(session, reference, pull_options(arguments)));
  TRY_ASSIGN(const auto tags, client.list_tags(reference));
  TRY_ASSIGN(const auto format, Format::asked(arguments));
  for (const auto& tag : tags) {
    TRY_ASSIGN(const auto line, format ? format->line({{"Tag", tag}}) : printable(tag) + "\n");
    put(line);
  }
  return k_exit_ok;
}

Result<int> execute(Session& session, const Arguments& arguments) {
  const bool tags = arguments.has("list-tags");
  TRY(expect_words(arguments, tags ? 1 : 0, 1, "a repository"));
  const std::string text = arguments.words.empty() ? "" : arguments.words[0];
  const InterruptScope interruptible;
  TRY_ASSIGN(const auto target, target_of(text));
  auto done = tags ? list_tags(session, arguments) : search(session, arguments, target);
  if (!done) return fail(std::move(done).error().context(text.empty() ? "search" : "search " + text));
  return done;
}

}  // namespace

const Command k_search{"search", "[EXPRESSION]", "search a registry for images", k_options, Order::mixed, execute};

}  // namespace udk::cli
