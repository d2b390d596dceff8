#include "container/build.hpp"

#include <algorithm>

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/text.hpp"
#include "container/architecture.hpp"
#include "container/command.hpp"
#include "container/cpuset.hpp"
#include "container/environment.hpp"
#include "container/guest_view.hpp"
#include "container/metadata.hpp"
#include "container/ports.hpp"
#include "container/resolv_conf.hpp"
#include "container/users.hpp"
#include "container/volumes.hpp"
#include "container/workdir.hpp"

namespace udk::container {
namespace {

constexpr std::size_t k_max_accounts = std::size_t{64} << 20;
constexpr std::string_view k_passwd = "/etc/passwd";
constexpr std::string_view k_group = "/etc/group";
constexpr std::string_view k_resolv_conf = "/etc/resolv.conf";

// The steps of the preparation, in the order of their failures.
class Builder {
 public:
  Builder(const ContainerInfo& container, const RunOptions& options, const Settings& settings, const HostFacts& host)
      : container_(container), options_(options), settings_(settings), host_(host), view_("") {
    run_.scratch = ScratchDir(settings.tmpdir);
  }

  Result<PreparedRun> build() {
    TRY(open_root());
    TRY_ASSIGN(metadata_, read_metadata(container_, options_));
    TRY_ASSIGN(auto variables, container_environment(metadata_, options_, host_, run_.notices));
    TRY(check_ports());
    TRY_ASSIGN(volumes_, collect_volumes(container_, options_, settings_, host_, run_.notices));
    TRY(place_volumes(volumes_, view_));
    TRY(choose_user());
    TRY(add_resolv_conf());
    auto environment = complete_environment(std::move(variables), user_, container_info(), options_, settings_, host_);
    TRY_ASSIGN(run_.spec.cwd, choose_workdir(view_, options_, metadata_, user_.home));
    TRY(choose_program(environment.get("PATH").value_or("")));
    TRY(check_machine());
    run_.spec.env = environment.list();
    run_.spec.binds = view_.binds();
    run_.spec.container_id = container_.id;
    TRY_ASSIGN(run_.spec.kernel_release, kernel_release());
    if (!options_.cpuset_cpus.empty()) {
      TRY_ASSIGN(run_.spec.cpus, parse_cpu_list(options_.cpuset_cpus, host_.cpus));
    }
    return std::move(run_);
  }

 private:
  Result<> open_root() {
    auto root = real_path(container_.root);
    if (root && !is_dir(*root)) root = fail(Code::not_found, container_.root + ": not a directory");
    if (!root) {
      auto what = container_.id.empty() ? std::string("--location") : "container " + container_.id + ": root directory";
      auto error = std::move(root).error().context(what);
      if (!container_.id.empty()) error.text += " (create the container anew)";
      return fail(std::move(error));
    }
    run_.spec.root = std::move(*root);
    view_ = GuestView(run_.spec.root);
    return {};
  }

  // With the canonical root, which is what the payload's container_root shall say.
  [[nodiscard]] ContainerInfo container_info() const {
    return {container_.id, run_.spec.root, "", container_.mode, container_.names};
  }

  Result<std::string> kernel_release() const {
    // utsname of uname(2): 65 bytes with the closing NUL.
    if (options_.kernel.size() <= 64) return options_.kernel;
    return fail(Code::usage, "invalid --kernel=" + options_.kernel + ": longer than the 64 characters of a release");
  }

  Result<> check_ports() {
    for (const auto& text : options_.publish) {
      TRY_ASSIGN(auto map, parse_port_map(text));
      run_.spec.ports.push_back(std::move(map));
    }
    run_.spec.publish_all = options_.publish_all;
    if (auto notice = exposed_ports_notice(metadata_, run_.spec.ports, host_))
      run_.notices.push_back(std::move(*notice));
    return {};
  }

  [[nodiscard]] bool is_mount_point(std::string_view guest) const {
    auto place = view_.locate(guest);
    if (!place) return false;
    for (const auto& bind : view_.binds()) {
      if (bind.guest == place->guest) return true;
    }
    return false;
  }

  // Did somebody ask for this very mount point?
  [[nodiscard]] bool is_users_volume(std::string_view guest) const {
    auto place = view_.locate(guest);
    return place && std::any_of(volumes_.begin(), volumes_.end(), [&](const Volume& volume) {
             auto seat = volume.need == Need::required ? view_.locate(volume.guest) : fail(Code::not_found, "");
             return seat && seat->guest == place->guest;
           });
  }

  Result<> bind_generated(const std::string& name, std::string_view guest, std::string_view content) {
    TRY_ASSIGN(auto file, run_.scratch.add_file(name, content));
    TRY_ASSIGN(auto host, real_path(file));
    TRY_ASSIGN(auto place, view_.locate(guest));
    view_.add({std::move(host), std::move(place.guest), Access::read_write});
    return {};
  }

  Result<std::string> container_accounts(std::string_view guest) const {
    auto text = view_.read(guest, k_max_accounts);
    if (text) return text;
    auto error = std::move(text).error().context("accounts of the container");
    error.text += " (repair the file, or use --hostauth)";
    return fail(std::move(error));
  }

  Result<> choose_user() {
    UserRequest request;
    request.from_image = options_.user.empty();
    request.text = request.from_image ? metadata_.user : options_.user;
    if (options_.host_auth) {
      request.source = AccountSource::host;
      // A host without the files has its users in a directory service.
      request.passwd = read_file(host_.accounts.passwd_file, k_max_accounts).value_or("");
      request.group = read_file(host_.accounts.group_file, k_max_accounts).value_or("");
    } else {
      if (options_.container_auth) request.source = AccountSource::container_as_is;
      TRY_ASSIGN(request.passwd, container_accounts(k_passwd));
      TRY_ASSIGN(request.group, container_accounts(k_group));
    }
    bool host_home = options_.bind_home && !path_split(host_.home).empty();
    if (host_home) request.new_home = host_.home;
    TRY_ASSIGN(user_, resolve_user(request, host_));
    if (host_home) user_.home = host_.home;
    run_.spec.identity = user_.identity;
    // A volume on one of the two files is the user's own arrangement of both.
    if (options_.container_auth || is_mount_point(k_passwd) || is_mount_point(k_group)) return {};
    if (user_.passwd) TRY(bind_generated("passwd", k_passwd, *user_.passwd));
    if (user_.group) TRY(bind_generated("group", k_group, *user_.group));
    return {};
  }

  Result<> add_resolv_conf() {
    if (options_.dns.empty() && options_.dns_search.empty()) return {};
    if (is_users_volume(k_resolv_conf)) return {};
    auto host_text = read_file(host_.resolv_conf).value_or("");
    TRY_ASSIGN(auto text, make_resolv_conf(options_.dns, options_.dns_search, host_text));
    return bind_generated("resolv.conf", k_resolv_conf, text);
  }

  Result<> choose_program(const std::string& path) {
    auto command = choose_command(metadata_, options_, settings_);
    auto program = find_program(view_, command.argv.at(0), path, run_.spec.cwd);
    if (!program && command.assumed) {
      // The configured shell is a wish: an image without it has most often a plain one.
      CommandLine plain{{"sh", "-i"}, true};
      if (auto shell = find_program(view_, plain.argv[0], path, run_.spec.cwd)) {
        command = std::move(plain);
        program = std::move(shell);
      }
    }
    auto words = quoted_words(command.argv);
    if (!program) {
      auto error = std::move(program).error().context("command not found or has no execute bit set: " + words);
      error.text += command.assumed ? "; the image names no command, so give one" : "; name a program of the container";
      return fail(std::move(error));
    }
    if (command.assumed) run_.notices.push_back({log::Level::warning, "no command assuming: " + words});
    run_.spec.argv = std::move(command.argv);
    run_.spec.program = std::move(*program);
    return {};
  }

  Result<> check_machine() {
    TRY_ASSIGN(auto notice, check_architecture(view_, run_.spec.program, metadata_, host_));
    if (notice) run_.notices.push_back(std::move(*notice));
    return {};
  }

  const ContainerInfo& container_;
  const RunOptions& options_;
  const Settings& settings_;
  const HostFacts& host_;
  GuestView view_;
  Metadata metadata_;
  std::vector<Volume> volumes_;
  ResolvedUser user_;
  PreparedRun run_;
};

}  // namespace

Result<PreparedRun> build_run_spec(const ContainerInfo& container, const RunOptions& options, const Settings& settings,
                                   const HostFacts& host) {
  return Builder(container, options, settings, host).build();
}

Result<VolumesFromName> parse_volumes_from(std::string_view text) {
  auto parts = split(text, ':');
  VolumesFromName out{std::string(parts[0]), Access::read_write};
  bool good = !out.name.empty() && parts.size() <= 2;
  if (good && parts.size() == 2) {
    good = parts[1] == "ro" || parts[1] == "rw" || parts[1] == "z" || parts[1] == "Z";
    if (parts[1] == "ro") out.access = Access::read_only;
  }
  if (good) return out;
  return fail(Code::usage,
              "invalid --volumes-from=" + std::string(text) + ": CONTAINER, CONTAINER:ro or CONTAINER:rw expected");
}

}  // namespace udk::container
