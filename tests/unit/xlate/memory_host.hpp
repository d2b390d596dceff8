#pragma once

#include <asm/errno.h>

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "xlate/resolve.hpp"

namespace udk::xlate::test {

// A host file tree in memory: names to link texts, files ("f") or directories ("d").
class MemoryHost {
 public:
  MemoryHost& dir(const std::string& path) {
    for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
      nodes_.emplace(path.substr(0, at), "d");
    nodes_[path] = "d";
    return *this;
  }
  MemoryHost& file(const std::string& path) {
    dir(path.substr(0, path.rfind('/')));
    nodes_[path] = "f";
    return *this;
  }
  MemoryHost& link(const std::string& path, const std::string& target) {
    dir(path.substr(0, path.rfind('/')));
    nodes_[path] = "l" + target;
    return *this;
  }
  MemoryHost& gone_link(const std::string& path, const std::string& text) {
    gone_.insert(path);
    return kernel_link(path, LinkKind::open, text);
  }
  MemoryHost& kernel_link(const std::string& path, LinkKind kind, const std::string& target) {
    dir(path.substr(0, path.rfind('/')));
    nodes_[path] = (kind == LinkKind::jump ? "j" : "o") + target;
    return *this;
  }

  int read_link(std::string_view host, std::string_view, Link& link) {
    asked_.insert(std::string(host));
    const std::string path(host);
    for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
      const auto parent = nodes_.find(path.substr(0, at));
      if (parent == nodes_.end()) return -ENOENT;
      if (parent->second != "d") return -ENOTDIR;
    }
    const auto node = nodes_.find(path);
    if (node == nodes_.end()) return -ENOENT;
    if (node->second == "d" || node->second == "f") return -EINVAL;
    const char kind = node->second[0];
    link.gone = gone_.count(path) != 0;
    link.kind = kind == 'l' ? LinkKind::text : (kind == 'j' ? LinkKind::jump : LinkKind::open);
    (void)link.target.assign(std::string_view(node->second).substr(1));
    return 0;
  }
  int check_dir(std::string_view host) {
    if (host.empty()) return 0;
    asked_.insert(std::string(host));
    const auto node = nodes_.find(std::string(host));
    if (node == nodes_.end()) return -ENOENT;
    return node->second == "d" ? 0 : -ENOTDIR;
  }
  bool name_of_dir(std::string_view host, GuestPath& guest) {
    const auto known = names_.find(std::string(host));
    return known != names_.end() && guest.assign(known->second);
  }
  // What name_of_dir() finds.
  MemoryHost& dir_name(const std::string& host, const std::string& guest) {
    names_[host] = guest;
    return *this;
  }
  static bool known_plain(std::string_view) { return false; }
  static void note_plain(std::string_view) {}

  // Every host path that was looked at.
  [[nodiscard]] const std::set<std::string>& asked() const { return asked_; }

 private:
  std::map<std::string, std::string> nodes_;
  std::map<std::string, std::string> names_;
  std::set<std::string> gone_;
  std::set<std::string> asked_;
};

}  // namespace udk::xlate::test
