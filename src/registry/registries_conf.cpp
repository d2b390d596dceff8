// Reads files of containers-registries.conf(5).
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
// Its assertions do not hold for all files ("[=" breaks one); the checks behind them make errors of those. With NDEBUG
// some of them are promises to clang's optimiser.
#define TOML_ASSERT(condition) static_assert(true)
#pragma push_macro("NDEBUG")
#undef NDEBUG
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include <algorithm>

#include "base/text.hpp"
#include "registry/registries.hpp"

namespace udk::registry {
namespace {

// The text without a byte order mark and with ? for what is not ASCII. All that means something here is ASCII, so a ?
// stands in a comment, or where it is a mistake too; the library's tables of other characters run into undefined
// behaviour.
std::string ascii_of(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; }, '?');
  return out;
}

Result<bool> flag_of(const toml::table& table, const char* key) {
  const auto* node = table.get(key);
  if (!node) return false;
  if (const auto* value = node->as_boolean()) return value->get();
  return fail(Code::usage, std::string(key) + " is neither true nor false");
}

Result<std::string> conf_text(const toml::table& table, const char* key) {
  const auto* node = table.get(key);
  if (!node) return std::string();
  if (const auto* value = node->as_string()) return value->get();
  return fail(Code::usage, std::string(key) + " is not a text");
}

// The tables of [[KEY]].
Result<std::vector<const toml::table*>> tables_of(const toml::table& table, const char* key) {
  std::vector<const toml::table*> out;
  const auto* node = table.get(key);
  if (!node) return out;
  const auto* array = node->as_array();
  for (std::size_t i = 0; array && i < array->size(); ++i)
    if (const auto* one = array->get(i)->as_table()) out.push_back(one);
  if (!array || out.size() != array->size()) return fail(Code::usage, std::string(key) + " is not [[" + key + "]]");
  return out;
}

std::string with_lower_host(const std::string& text) {
  const auto end = std::min(text.find('/'), text.size());
  return to_lower(text.substr(0, end)) + text.substr(end);
}

// A prefix or a location: trailing slashes do not matter, hosts are written in any case.
Result<std::string> place_of(const toml::table& table, const char* key) {
  TRY_ASSIGN(auto text, conf_text(table, key));
  while (text.ends_with('/')) text.pop_back();
  if (text.find("://") == std::string::npos) return with_lower_host(text);
  return fail(Code::usage, std::string(key) + " '" + printable(text) + "' is a URL, HOST[:PORT][/PATH] is expected");
}

Result<std::string> location_of(const toml::table& table) {
  TRY_ASSIGN(auto text, place_of(table, "location"));
  const auto parsed = image::Reference::parse(text + "/x");
  if (text.empty() || (parsed && !parsed->domain().empty())) return text;
  return fail(Code::usage, "location '" + printable(text) + "' is not HOST[:PORT][/PATH]");
}

Result<MirrorRule> mirror_of(const toml::table& table, bool by_digest_only) {
  MirrorRule out;
  TRY_ASSIGN(out.location, location_of(table));
  if (out.location.empty()) return fail(Code::usage, "a mirror has no location");
  TRY_ASSIGN(out.insecure, flag_of(table, "insecure"));
  TRY_ASSIGN(const auto serves, conf_text(table, "pull-from-mirror"));
  if (by_digest_only && !serves.empty())
    return fail(Code::usage, "pull-from-mirror and mirror-by-digest-only exclude each other");
  if (by_digest_only || serves == "digest-only")
    out.serves = PullFrom::digest_only;
  else if (serves == "tag-only")
    out.serves = PullFrom::tag_only;
  else if (!serves.empty() && serves != "all")
    return fail(Code::usage, "pull-from-mirror '" + printable(serves) + "' is not all, digest-only or tag-only");
  return out;
}

Result<RegistryRule> rule_of(const toml::table& table) {
  RegistryRule out;
  TRY_ASSIGN(out.prefix, place_of(table, "prefix"));
  TRY_ASSIGN(out.location, location_of(table));
  if (out.prefix.empty()) out.prefix = out.location;
  if (out.prefix.empty()) return fail(Code::usage, "a registry has neither prefix nor location");
  const bool wildcard = out.prefix.starts_with("*.");
  if (out.prefix.find('*', wildcard ? 1 : 0) != std::string::npos ||
      (wildcard && out.prefix.find_first_of("/:@") != std::string::npos))
    return fail(Code::usage, "prefix '" + printable(out.prefix) + "': of wildcards there is *.HOST alone");
  if (out.location.empty() && !wildcard)
    return fail(Code::usage, "the registry of prefix '" + printable(out.prefix) + "' has no location");
  TRY_ASSIGN(out.insecure, flag_of(table, "insecure"));
  TRY_ASSIGN(out.blocked, flag_of(table, "blocked"));
  TRY_ASSIGN(const bool by_digest_only, flag_of(table, "mirror-by-digest-only"));
  TRY_ASSIGN(const auto mirrors, tables_of(table, "mirror"));
  for (const auto* mirror : mirrors) {
    TRY_ASSIGN(auto rule, mirror_of(*mirror, by_digest_only));
    out.mirrors.push_back(std::move(rule));
  }
  return out;
}

// Version 1: [registries.insecure] and [registries.block] with lists of hosts.
Result<std::vector<RegistryRule>> old_rules(const toml::table& registries) {
  std::vector<RegistryRule> out;
  for (const char* kind : {"insecure", "block"}) {
    const auto* table = registries[kind].as_table();
    const auto* hosts = table ? table->get("registries") : nullptr;
    if (!hosts) continue;
    if (!hosts->as_array()) return fail(Code::usage, std::string("registries.") + kind + " has no list of registries");
    for (const auto& item : *hosts->as_array()) {
      const auto host = with_lower_host(item.value_or(std::string()));
      if (host.empty()) return fail(Code::usage, std::string("registries.") + kind + ": not a list of texts");
      auto rule = std::find_if(out.begin(), out.end(), [&](const RegistryRule& known) { return known.prefix == host; });
      if (rule == out.end()) rule = out.insert(out.end(), RegistryRule{host, host, false, false, {}, {}});
      (kind == std::string_view("block") ? rule->blocked : rule->insecure) = true;
    }
  }
  return out;
}

Result<std::vector<RegistryRule>> rules_of(const toml::table& document) {
  TRY_ASSIGN(const auto tables, tables_of(document, "registry"));
  if (const auto* old = document["registries"].as_table()) {
    if (tables.empty()) return old_rules(*old);
    return fail(Code::usage, "[registries] of version 1 and [[registry]] of version 2 exclude each other");
  }
  std::vector<RegistryRule> out;
  for (const auto* table : tables) {
    auto rule = rule_of(*table);
    if (!rule)
      return fail(
          std::move(rule).error().context("[[registry]] at line " + std::to_string(table->source().begin.line)));
    out.push_back(std::move(*rule));
  }
  return out;
}

}  // namespace

Result<> Registries::add(std::string_view text, const std::string& file) {
  const auto document = toml::parse(ascii_of(text));
  if (!document) {
    const auto& error = document.error();
    return fail(Code::usage, file + " line " + std::to_string(error.source().begin.line) + ": " +
                                 printable(error.description().substr(0, 200)));
  }
  auto rules = rules_of(document.table());
  if (!rules) return fail(std::move(rules).error().context(file));
  for (auto& rule : *rules) {
    rule.file = file;
    auto known =
        std::find_if(rules_.begin(), rules_.end(), [&](const RegistryRule& old) { return old.prefix == rule.prefix; });
    if (known == rules_.end())
      rules_.push_back(std::move(rule));
    else
      *known = std::move(rule);
  }
  return {};
}

}  // namespace udk::registry
