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

constexpr std::array<Option, 4> k_options{{
    {"-m", Takes::nothing, "", "show the execution mode", ""},
    {"-s", Takes::nothing, "", "show the size in MB, which takes time", ""},
    {"-p", Takes::nothing, "", "show the platform", ""},
    k_format_option,
}};

struct Columns {
  bool mode, size, platform;
};

// The list as Python prints it: scripts read this form.
std::string python_list(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) {
    out += out.empty() ? "[" : ", ";
    out += '\'' + printable(name) + '\'';
  }
  return out.empty() ? out : out + "]";
}

std::string header(const Columns& columns) {
  std::string out = fmt::format("{:<36.36} P M ", "CONTAINER ID");
  if (columns.mode) out += "MOD ";
  if (columns.size) out += "SIZE ";
  if (columns.platform) out += "PLATFORM           ";
  return out + fmt::format("{:<18} {:<20.20}", "NAMES", "IMAGE");
}

std::string size_text(const store::Containers& containers, const std::string& id) {
  auto size = containers.size_mb(id);
  return size ? std::to_string(*size) : "-1";
}

std::string row(Session& session, const store::Containers& containers, const store::ContainerEntry& entry,
                const Columns& columns) {
  std::string out = fmt::format("{:<36.36} {} {} ", entry.id, entry.protection == store::Protection::on ? 'P' : '.',
                                static_cast<char>(entry.root_state));
  if (columns.mode) out += fmt::format("{:>2.2} ", mode_of(session, containers, entry.id));
  if (columns.size) out += fmt::format("{:>5.5} ", size_text(containers, entry.id));
  if (columns.platform) out += fmt::format("{:<18.18} ", containers.platform(entry.id));
  return out + fmt::format("{:<18.100} {:<20.100}", python_list(entry.aliases), printable(entry.image));
}

// The names of docker where it has the field; as there, Size only if it was asked for.
nlohmann::ordered_json fields_of(Session& session, const store::Containers& containers,
                                 const store::ContainerEntry& entry, bool with_size) {
  nlohmann::ordered_json row = {{"ID", entry.id},
                                {"Names", join(entry.aliases, ",")},
                                {"Image", entry.image},
                                {"Platform", containers.platform(entry.id)},
                                {"Mode", mode_of(session, containers, entry.id)},
                                {"Protected", entry.protection == store::Protection::on},
                                {"Root", std::string(1, static_cast<char>(entry.root_state))},
                                {"Directory", entry.dir}};
  if (!with_size) return row;
  const auto size = containers.size_mb(entry.id);
  row["Size"] = size ? nlohmann::ordered_json(*size * 1024 * 1024) : nullptr;
  return row;
}

Result<int> execute(Session& session, const Arguments& arguments) {
  TRY(expect_words(arguments, 0, 0, ""));
  TRY_ASSIGN(store::Store * store, session.store());
  const Columns columns{arguments.has("m"), arguments.has("s"), arguments.has("p")};
  auto containers = store->containers();
  TRY_ASSIGN(auto entries, containers.list());
  TRY_ASSIGN(const auto format, Format::asked(arguments));
  if (format) {
    for (const auto& entry : entries) {
      TRY_ASSIGN(const auto line, format->line(fields_of(session, containers, entry, columns.size)));
      put(line);
    }
    return k_exit_ok;
  }
  std::string out = log::enabled(log::Level::message) ? header(columns) + "\n" : "";
  for (const auto& entry : entries) {
    out += row(session, containers, entry, columns) + "\n";
    if (!entry.has_metadata) log::error("invalid container json metadata: {}", entry.id);
  }
  put(out);
  return k_exit_ok;
}

}  // namespace

const Command k_ps{"ps", "", "list the containers", k_options, Order::mixed, execute};

}  // namespace udk::cli
