#include "container/volumes.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <utility>

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/text.hpp"
#include "image/image_config.hpp"

namespace udk::container {
namespace {

// Options that docker knows and that mean nothing without a kernel mount: labels, propagation, caching, copying.
constexpr std::array<std::string_view, 12> k_accepted_options{"z",      "Z",         "nocopy",  "consistent",
                                                              "cached", "delegated", "shared",  "rshared",
                                                              "slave",  "rslave",    "private", "rprivate"};

std::string collapse_slashes(std::string_view path) {
  std::string out;
  for (char c : path) {
    if (c != '/' || out.empty() || out.back() != '/') out += c;
  }
  if (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

Result<Access> parse_options(std::string_view text, std::string_view volume) {
  bool read_only = false;
  bool read_write = false;
  for (auto option : split(text, ',')) {
    if (option == "ro") {
      read_only = true;
    } else if (option == "rw") {
      read_write = true;
    } else if (std::find(k_accepted_options.begin(), k_accepted_options.end(), option) == k_accepted_options.end()) {
      return fail(Code::usage, "invalid volume option '" + std::string(option) + "' in " + std::string(volume) +
                                   ": ro, rw and docker's other options of -v are known");
    }
  }
  if (read_only && read_write)
    return fail(Code::usage, "invalid volume options in " + std::string(volume) + ": both ro and rw, choose one");
  return read_only ? Access::read_only : Access::read_write;
}

// --novol: what it names, and whether that was ever seen.
class Exclusions {
 public:
  explicit Exclusions(const std::vector<std::string>& texts) : texts_(texts), used_(texts.size(), false) {}
  bool drops(const std::string& entry, const Volume& volume) {
    bool dropped = false;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      if (entry != texts_[i] && volume.host != collapse_slashes(texts_[i])) continue;
      used_[i] = dropped = true;
    }
    return dropped;
  }
  void report(std::vector<Notice>& notices) const {
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      if (!used_[i]) notices.push_back({log::Level::warning, "--novol " + texts_[i] + " not in volumes list"});
    }
  }

 private:
  const std::vector<std::string>& texts_;
  std::vector<bool> used_;
};

// R modes get /dev, /proc and /sys from the runtime, S modes from singularity (reference: system directories by mode).
bool engine_has_own(std::string_view mode, std::string_view path) {
  static constexpr std::array<std::string_view, 3> k_kernel_dirs{"/dev", "/proc", "/sys"};
  bool kernel_dir = std::find(k_kernel_dirs.begin(), k_kernel_dirs.end(), path) != k_kernel_dirs.end();
  if (mode.starts_with('R')) return kernel_dir || path == "/lib/modules";
  return mode.starts_with('S') && kernel_dir;
}

std::vector<std::string> system_entries(const ContainerInfo& container, const RunOptions& options,
                                        const Settings& settings, const HostFacts& host, std::vector<Notice>& notices) {
  std::vector<std::string> entries;
  if (!options.no_sysdirs) {
    for (const auto& dir : settings.sysdirs_list) {
      if (!engine_has_own(container.mode, dir)) entries.push_back(dir);
    }
  }
  if (options.dri) entries.insert(entries.end(), settings.dri_list.begin(), settings.dri_list.end());
  if (options.bind_home && path_split(host.home).empty()) {
    notices.push_back({log::Level::warning, "--bindhome: the host gives no home directory, nothing is bound"});
  } else if (options.bind_home) {
    entries.push_back(host.home);
  }
  return entries;
}

// The canonical path, "" if an optional one is missing on this host.
Result<std::string> find_host_path(const Volume& volume) {
  auto real = real_path(volume.host);
  if (real) return std::move(*real);
  if (volume.need == Need::optional) return std::string();
  auto error = std::move(real).error();
  const char* cause = strerrordesc_np(error.sys_errno);
  error.text = "invalid host volume path: " + volume.host + ": " + (cause ? cause : "cannot be reached") +
               (error.sys_errno == ENOENT ? "; create it first" : "");
  return fail(std::move(error));
}

Result<> add_entries(const std::vector<std::string>& entries, Need need, Exclusions& exclusions,
                     std::vector<Volume>& out) {
  for (const auto& entry : entries) {
    TRY_ASSIGN(auto volume, parse_volume(entry));
    volume.need = need;
    if (exclusions.drops(entry, volume)) continue;
    TRY_ASSIGN(volume.host, find_host_path(volume));
    if (!volume.host.empty()) out.push_back(std::move(volume));
  }
  return {};
}

Result<> add_volumes_from(const VolumesFrom& other, std::vector<Volume>& out, std::vector<Notice>& notices) {
  auto what = "--volumes-from=" + other.name;
  if (other.metadata.empty()) return {};
  auto config = image::ImageConfig::parse(other.metadata);
  if (!config) return fail(std::move(config).error().context(what));
  auto root = real_path(other.root);
  if (!root) return fail(std::move(root).error().context(what));
  GuestView view(*root);
  for (const auto& path : config->volumes()) {
    if (!path.starts_with('/') || path_normalize(path) == "/" || path.find('\0') != std::string::npos) {
      notices.push_back(
          {log::Level::warning, fmt::format("{}: volume {} of that image is no usable path, ignored", what, path)});
      continue;
    }
    // Docker makes the directory of a volume that the image only declares.
    auto made = view.locate(path);
    if (made && !made->status) {
      if (auto done = view.make_dirs(path); !done) return fail(std::move(done).error().context(what));
      made = view.locate(path);
    }
    if (!made) return fail(std::move(made).error().context(what));
    out.push_back({made->host, collapse_slashes(path), other.access, Need::required});
  }
  return {};
}

// A directory cannot stand for a file, nor the other way round: programs would fail in ways that tell nobody why.
Result<> check_same_type(const Volume& volume, const GuestLocation& place) {
  const bool host_dir = is_dir(volume.host);
  if (!place.status || S_ISDIR(place.status->st_mode) == host_dir) return {};
  return fail(Code::usage, "invalid container volume path: " + volume.guest + ": host and container volume paths not " +
                               "same type: " + volume.host + (host_dir ? " is a directory" : " is not a directory") +
                               ", what the container has there " + (host_dir ? "is not" : "is") +
                               " one; choose another path");
}

}  // namespace

Result<Volume> parse_volume(std::string_view text) {
  auto parts = split(text, ':');
  std::string whole(text);
  if (parts.size() > 3) {
    return fail(Code::usage, "invalid volume " + whole +
                                 ": HOST[:CONTAINER][:OPTIONS] expected; paths with a colon cannot be given");
  }
  if (!parts[0].starts_with('/')) {
    std::string shown(parts[0]);
    return fail(Code::usage, "invalid host volume path: " + shown + ": not an absolute path (in -v " + whole +
                                 "); there are no named volumes, give the full path of a file or directory");
  }
  Volume volume;
  volume.host = collapse_slashes(parts[0]);
  volume.guest = parts.size() > 1 && !parts[1].empty() ? collapse_slashes(parts[1]) : volume.host;
  if (!volume.guest.starts_with('/') || path_normalize(volume.guest) == "/") {
    return fail(Code::usage, "invalid container volume path: " + volume.guest +
                                 ": an absolute path other than / is needed (in -v " + whole + ")");
  }
  if (parts.size() == 3) {
    TRY_ASSIGN(volume.access, parse_options(parts[2], text));
  }
  return volume;
}

Result<std::vector<Volume>> collect_volumes(const ContainerInfo& container, const RunOptions& options,
                                            const Settings& settings, const HostFacts& host,
                                            std::vector<Notice>& notices) {
  std::vector<Volume> out;
  Exclusions exclusions(options.novol);
  TRY(add_entries(system_entries(container, options, settings, host, notices), Need::optional, exclusions, out));
  // Nobody looks for those of every run in a listing (/lib/modules, mostly), and they would slow down all of them.
  for (auto& volume : out) {
    const auto& sysdirs = settings.sysdirs_list;
    volume.listed = std::find(sysdirs.begin(), sysdirs.end(), volume.guest) == sysdirs.end();
  }
  for (const auto& other : options.volumes_from) TRY(add_volumes_from(other, out, notices));
  TRY(add_entries(options.volumes, Need::required, exclusions, out));
  exclusions.report(notices);
  return out;
}

Result<> place_volumes(const std::vector<Volume>& volumes, GuestView& view) {
  // Outer mounts first, so that inner ones are looked up in them.
  std::vector<std::size_t> order(volumes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return path_split(volumes[a].guest).size() < path_split(volumes[b].guest).size();
  });
  std::map<std::string, std::size_t> placed;
  for (auto index : order) {
    const auto& volume = volumes[index];
    auto place = view.locate(volume.guest);
    std::string what = "invalid container volume path: " + volume.guest;
    if (!place && volume.need == Need::optional) continue;
    if (!place) return fail(std::move(place).error().context(what));
    if (place->guest == "/") return fail(Code::usage, what + ": leads to / in this container; choose another path");
    auto [seat, is_new] = placed.try_emplace(place->guest, index);
    // Two paths that lead to one place: the later one in the list counts.
    if (!is_new && seat->second > index) continue;
    if (auto fits = is_new ? check_same_type(volume, *place) : Result<>(); !fits) {
      if (volume.need == Need::required) return fits;
      placed.erase(seat);
      continue;
    }
    seat->second = index;
    view.add({volume.host, place->guest, volume.access, volume.listed});
  }
  return {};
}

}  // namespace udk::container
