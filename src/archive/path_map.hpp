#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace udk::archive {

// A map from relative paths ("usr/bin/sh", "" is the root) to values, made for millions of paths: for each path
// component a node of 16 bytes, the value, the last name and some 6 bytes of hash table. Components are at most 255
// bytes long; what is longer is cut, so callers refuse it before. Every node has a value; a path that was never set but
// lies on the way to one has V{}.
template <class V>
class PathMap {
 public:
  PathMap() { clear(); }

  void clear() {
    nodes_.assign(1, Node{});
    names_.clear();
    slots_.assign(64, 0);
  }

  // The value of a path, nullptr if there is no node. Stays valid until the next change of the map.
  [[nodiscard]] V* find(std::string_view path) {
    std::uint32_t id = find_id(path);
    return id == k_none ? nullptr : &nodes_[id].value;
  }
  [[nodiscard]] const V* find(std::string_view path) const {
    std::uint32_t id = find_id(path);
    return id == k_none ? nullptr : &nodes_[id].value;
  }

  // The value of a path, made with all its parents where missing. `on_way` sees the value of each parent.
  template <class F>
  V& at(std::string_view path, F on_way) {
    std::uint32_t id = 0;
    for (std::string_view rest = path; !rest.empty();) {
      on_way(nodes_[id].value);
      std::string_view name = take_name(rest);
      std::uint32_t child = find_child(id, name);
      id = child == k_none ? add_child(id, name) : child;
    }
    return nodes_[id].value;
  }
  V& at(std::string_view path) {
    return at(path, [](V&) {});
  }

  // Drops the path and all below it. `dropped` sees each value once. Dropping the root empties the map.
  template <class F>
  void erase_tree(std::string_view path, F dropped) {
    std::uint32_t id = find_id(path);
    if (id == k_none) return;
    visit_tree(id, [&](std::uint32_t each) { dropped(nodes_[each].value); });
    if (id == 0) return clear();
    // It stays in its slot and its list, where a node that disowns its parent is passed over; what is below it can no
    // longer be reached by a name.
    nodes_[id].parent = k_none;
  }
  void erase_tree(std::string_view path) {
    erase_tree(path, [](V&) {});
  }

  // Calls f(path, value) for every node, the root too; parents first, siblings in byte order.
  template <class F>
  void for_each(F f) const {
    std::string path;
    walk(0, path, f);
  }

 private:
  static constexpr std::uint32_t k_none = UINT32_MAX;
  struct Node {
    std::uint32_t parent = k_none;
    std::uint32_t first_child = k_none;
    std::uint32_t next_sibling = k_none;
    std::uint32_t name = 0;  // where its length byte stands in names_
    V value{};
  };

  static std::string_view take_name(std::string_view& rest) {
    std::size_t slash = rest.find('/');
    std::string_view name = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    return name.substr(0, 255);
  }

  [[nodiscard]] std::string_view name_of(const Node& node) const {
    return {names_.data() + node.name + 1, static_cast<unsigned char>(names_[node.name])};
  }

  static std::size_t hash_of(std::uint32_t parent, std::string_view name) {
    return std::hash<std::string_view>{}(name) ^ (std::size_t{parent} * 0x9E3779B97F4A7C15ULL);
  }

  [[nodiscard]] std::uint32_t find_id(std::string_view path) const {
    std::uint32_t id = 0;
    for (std::string_view rest = path; !rest.empty() && id != k_none;) id = find_child(id, take_name(rest));
    return id;
  }

  // Slots hold node numbers, 0 for free (the root is in no slot). Dropped nodes stay in their slot as markers.
  [[nodiscard]] std::uint32_t find_child(std::uint32_t parent, std::string_view name) const {
    std::size_t mask = slots_.size() - 1;
    for (std::size_t slot = hash_of(parent, name) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
      const Node& node = nodes_[slots_[slot]];
      if (node.parent == parent && name_of(node) == name) return slots_[slot];
    }
    return k_none;
  }

  std::uint32_t add_child(std::uint32_t parent, std::string_view name) {
    if (nodes_.size() * 4 > slots_.size() * 3) grow();
    auto id = static_cast<std::uint32_t>(nodes_.size());
    Node node;
    node.parent = parent;
    node.next_sibling = nodes_[parent].first_child;
    node.name = static_cast<std::uint32_t>(names_.size());
    names_.push_back(static_cast<char>(name.size()));
    names_.append(name);
    nodes_.push_back(node);
    nodes_[parent].first_child = id;
    place(id);
    return id;
  }

  void place(std::uint32_t id) {
    std::size_t mask = slots_.size() - 1;
    std::size_t slot = hash_of(nodes_[id].parent, name_of(nodes_[id])) & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = id;
  }

  void grow() {
    slots_.assign(slots_.size() * 2, 0);
    for (std::uint32_t id = 1; id < nodes_.size(); ++id)
      if (nodes_[id].parent != k_none) place(id);
  }

  template <class F>
  void for_each_child(std::uint32_t id, F f) const {
    for (std::uint32_t child = nodes_[id].first_child; child != k_none; child = nodes_[child].next_sibling)
      if (nodes_[child].parent == id) f(child);
  }

  template <class F>
  void visit_tree(std::uint32_t top, F f) {
    std::vector<std::uint32_t> left{top};
    while (!left.empty()) {
      std::uint32_t id = left.back();
      left.pop_back();
      f(id);
      for_each_child(id, [&](std::uint32_t child) { left.push_back(child); });
    }
  }

  template <class F>
  void walk(std::uint32_t id, std::string& path, F& f) const {
    f(std::string_view(path), nodes_[id].value);
    std::vector<std::uint32_t> children;
    for_each_child(id, [&](std::uint32_t child) { children.push_back(child); });
    std::sort(children.begin(), children.end(),
              [this](std::uint32_t a, std::uint32_t b) { return name_of(nodes_[a]) < name_of(nodes_[b]); });
    std::size_t length = path.size();
    for (std::uint32_t child : children) {
      if (length != 0) path += '/';
      path += name_of(nodes_[child]);
      walk(child, path, f);
      path.resize(length);
    }
  }

  std::vector<Node> nodes_;
  std::string names_;
  std::vector<std::uint32_t> slots_;
};

}  // namespace udk::archive
