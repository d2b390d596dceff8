#include <array>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "base/text.hpp"
#include "cli/commands/commands.hpp"
#include "cli/format.hpp"
#include "cli/lookup.hpp"
#include "cli/output.hpp"

namespace udk::cli {
namespace {

constexpr std::array<Option, 5> k_options{{
    {"-l", Takes::nothing, "", "show the directory and the files of each image", ""},
    {"-p", Takes::nothing, "", "show the platform", ""},
    {"--no-trunc", Takes::nothing, "", "accepted: nothing is cut off", ""},
    {"--all", Takes::nothing, "", "accepted: all are shown", ""},
    k_format_option,
}};

constexpr std::uint64_t k_megabyte = 1024 * 1024;

std::string long_rows(const store::Images& images, const store::ImageEntry& entry) {
  std::string out = fmt::format(" {}\n", printable(entry.dir));
  auto links = images.links(entry.name);
  if (!links) return out;
  for (const auto& link : *links) {
    out += fmt::format("    /{} ({} MB)\n", printable(link.name), link.size.value_or(0) / k_megabyte);
  }
  return out;
}

// The names of docker where it has the field.
nlohmann::ordered_json fields_of(const store::Images& images, const store::ImageEntry& entry) {
  nlohmann::ordered_json row = {{"Repository", entry.name.repository},
                                {"Tag", entry.name.tag},
                                {"ID", nullptr},
                                {"Digest", nullptr},
                                {"Platform", images.platform(entry.name)},
                                {"Protected", entry.protection == store::Protection::on},
                                {"Size", nullptr},
                                {"Directory", entry.dir}};
  if (const auto data = images.load(entry.name)) {
    if (data->config_digest) row["ID"] = data->config_digest->text();
    if (data->manifest_digest) row["Digest"] = data->manifest_digest->text();
  }
  std::uint64_t bytes = 0;
  if (const auto links = images.links(entry.name)) {
    for (const auto& link : *links) bytes += link.size.value_or(0);
    row["Size"] = bytes;
  }
  return row;
}

Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 0, 0, ""));
  TRY_ASSIGN(store::Store * store, session.store());
  auto images = store->images();
  TRY_ASSIGN(auto entries, images.list());
  TRY_ASSIGN(const auto format, Format::asked(arguments));
  if (format) {
    for (const auto& entry : entries) {
      TRY_ASSIGN(const auto line, format->line(fields_of(images, entry)));
      put(line);
    }
    return k_exit_ok;
  }
  std::string out = log::enabled(log::Level::info) ? "REPOSITORY\n" : "";
  for (const auto& entry : entries) {
    const char flag = entry.protection == store::Protection::on ? 'P' : '.';
    const auto name = printable(entry.name.text());
    if (arguments.has("p")) {
      out += fmt::format("{:<18.18} {} {}\n", images.platform(entry.name), flag, name);
    } else {
      out += fmt::format("{}    {}\n", name, flag);
    }
    if (arguments.has("l")) out += long_rows(images, entry);
  }
  put(out);
  return k_exit_ok;
}

}  // namespace

const Command k_images{"images", "", "list the images of the local repository", k_options, Order::mixed, execute};

}  // namespace udk::cli
