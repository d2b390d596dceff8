#include <algorithm>
#include <string>
#include <vector>

#include "engine/ptrace/proc_files.hpp"

// /proc/PID/mounts, mountinfo and mountstats (proc(5)): the container's root and the binds as the mounts that they are
// to the guest, with what the host has mounted below a bind.
namespace udk::engine {
namespace {

// One line of the host's mountinfo.
struct HostMount {
  std::string device, root, point, options, optional, type, source, super;
};

// Blanks and the like are written as \ooo in all three files; paths compare in plain form.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '3') {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\\') {
      out += '\\';
      out += static_cast<char>('0' + (c >> 6 & 3));
      out += static_cast<char>('0' + (c >> 3 & 7));
      out += static_cast<char>('0' + (c & 7));
    } else {
      out += c;
    }
  }
  return out;
}

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    if (end > 0) words.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

std::vector<HostMount> parse(const std::string& text) {
  std::vector<HostMount> mounts;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::vector<std::string> words = words_of(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 6 || words.end() - dash < 3) continue;
    HostMount mount{words[2],
                    unescape(words[3]),
                    unescape(words[4]),
                    words[5],
                    "",
                    dash[1],
                    dash[2],
                    words.end() - dash > 3 ? dash[3] : ""};
    if (mount.point == "/") mount.point.clear();
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

// The mount that a host path lies in: the last of the longest.
const HostMount* covering(const std::vector<HostMount>& mounts, std::string_view path) {
  const HostMount* best = nullptr;
  for (const HostMount& mount : mounts)
    if (xlate::is_below(path, mount.point) && (best == nullptr || mount.point.size() >= best->point.size()))
      best = &mount;
  return best;
}

class Writer {
 public:
  explicit Writer(MountsForm form) : form_(form) {}

  // proc(5): `mounts` has the options of the mount and those of the file system in one list.
  static std::string all_options(const std::string& options, const std::string& super) {
    const std::size_t comma = super.find(',');
    return comma == std::string::npos ? options : options + super.substr(comma);
  }

  void add(const HostMount& mount, const std::string& root, std::string_view guest, bool read_only) {
    std::string options = mount.options;
    if (read_only && options.starts_with("rw")) options.replace(0, 2, "ro");
    const std::string point = guest.empty() ? "/" : escape(guest);
    switch (form_) {
      case MountsForm::mounts:
        text_ += mount.source + ' ' + point + ' ' + mount.type + ' ' + all_options(options, mount.super) + " 0 0\n";
        break;
      case MountsForm::mountstats:
        text_ += "device " + mount.source + " mounted on " + point + " with fstype " + mount.type + '\n';
        break;
      case MountsForm::mountinfo:
        text_ += std::to_string(++number_) + (guest.empty() ? " 0 " : " 1 ") + mount.device + ' ' +
                 (root.empty() ? "/" : escape(root)) + ' ' + point + ' ' + options + " - " + mount.type + ' ' +
                 mount.source + ' ' + mount.super + '\n';
        break;
    }
  }
  std::string take() { return std::move(text_); }

 private:
  MountsForm form_;
  std::string text_;
  unsigned number_ = 0;
};

}  // namespace

std::string proc_mounts(const Run& run, const std::string& host_mountinfo, MountsForm form) {
  const std::vector<HostMount> host = parse(host_mountinfo);
  const xlate::MountTable& table = run.lookup.table();
  Writer writer(form);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const xlate::Mount& mount = table[i];
    if (mount.kind == xlate::MountKind::glue) continue;
    const HostMount* under = covering(host, mount.host);
    if (under == nullptr) continue;
    const std::string within(mount.host.substr(under->point.size()));
    writer.add(*under, (under->root == "/" ? "" : under->root) + within, mount.guest, mount.read_only);
    for (const HostMount& inner : host) {
      if (inner.point.size() <= mount.host.size() || !xlate::is_below(inner.point, mount.host)) continue;
      const std::string guest = std::string(mount.guest) + inner.point.substr(mount.host.size());
      if (table.covering(guest) == i && table.at(guest) < 0) writer.add(inner, inner.root, guest, mount.read_only);
    }
  }
  return writer.take();
}

}  // namespace udk::engine
