// Random layers, applied to a directory and to a naive model of the rules (OCI image-spec, layer.md): first all
// whiteouts of a layer remove from what the layers below left, then its members are put in order.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "archive/apply.hpp"
#include "archive/entry_path.hpp"
#include "base/path.hpp"
#include "unit/archive/apply_fixture.hpp"
#include "unit/archive/random.hpp"
#include "unit/archive/tar_builder.hpp"

namespace udk::archive {
namespace {

using test::ApplyFixture;
using test::Listing;
using test::Member;
using test::Random;

struct Node {
  std::string text;  // as in Listing
  std::optional<std::int64_t> mtime;
  std::optional<Ownership> owner;
  int inode = 0;
};

class Model {
 public:
  void whiteout(const std::string& path) { remove(path); }
  void opaque(const std::string& dir) {
    if (dir.empty()) return nodes_.clear();
    auto found = nodes_.find(dir);
    if (found == nodes_.end()) return;
    if (found->second.text[0] != 'd') return remove(dir);
    std::erase_if(nodes_, [&](const auto& each) { return each.first != dir && is_at_or_below(each.first, dir); });
  }

  void put(const Member& member) {
    make_parents(member.path);
    if (member.type == '3') return remove(member.path);
    if (member.type == '1') {
      if (member.path == member.link) return;
      Node target = nodes_.at(member.link);
      remove(member.path);
      nodes_[member.path] = target;
      return;
    }
    const bool merges = member.type == '5' && has(member.path) && nodes_[member.path].text[0] == 'd';
    if (!merges) remove(member.path);
    nodes_[member.path] = make_node(member);
  }

  // What a hard link can point to.
  [[nodiscard]] std::vector<std::string> link_targets() const {
    std::vector<std::string> out;
    for (const auto& [path, node] : nodes_)
      if (node.text[0] != 'd') out.push_back(path);
    return out;
  }
  [[nodiscard]] const std::map<std::string, Node>& nodes() const { return nodes_; }

 private:
  [[nodiscard]] bool has(const std::string& path) const { return nodes_.contains(path); }
  void remove(const std::string& path) {
    std::erase_if(nodes_, [&](const auto& each) { return is_at_or_below(each.first, path); });
  }
  void make_parents(const std::string& path) {
    for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
      const std::string parent = path.substr(0, at);
      if (has(parent) && nodes_[parent].text[0] == 'd') continue;
      remove(parent);
      nodes_[parent] = {"d 755", {}, {}, ++inodes_};
    }
  }
  Node make_node(const Member& member) {
    const unsigned kept = member.type == '5' ? (member.mode & 01777) | 0700 : (member.mode & 0777) | 0600;
    char mode[16];
    std::snprintf(mode, sizeof mode, " %o", kept);
    Node node{"", member.mtime, {}, ++inodes_};
    if (member.type == '0') node.text = std::string("f") + mode + " " + member.content;
    if (member.type == '2') node.text = "l -> " + member.link;
    if (member.type == '5') node.text = std::string("d") + mode;
    if (member.type == '6') node.text = std::string("p") + mode;
    const bool differs = member.type != '2' && member.mode != kept;
    if (member.uid != 0 || differs)
      node.owner = Ownership{static_cast<std::uint32_t>(member.uid), 0, static_cast<std::uint16_t>(member.mode)};
    return node;
  }

  std::map<std::string, Node> nodes_;
  int inodes_ = 0;
};

// Few names, so that layers hit one another; symlinks have names of their own, which never serve as directories.
std::string random_dir(Random& random) {
  std::string path;
  for (unsigned depth = random.below(3); depth > 0; --depth)
    path = path_join(path, std::string(1, static_cast<char>('a' + random.below(3))));
  return path;
}

Member random_member(Random& random, const Model& model) {
  Member member;
  const bool is_symlink = random.below(6) == 0;
  member.path =
      path_join(random_dir(random), std::string(1, static_cast<char>((is_symlink ? 's' : 'a') + random.below(3))));
  member.type = "0005536"[random.below(7)];
  member.mtime = 1'000'000 + random.below(1000);
  member.mode = std::vector<std::uint32_t>{0644, 0755, 0444, 04755, 0, 01777}[random.below(6)];
  if (random.below(4) == 0) member.uid = random.below(3);
  if (is_symlink) {
    member.type = '2';
    member.mode = 0777;
    member.link = "somewhere" + std::to_string(random.below(3));
  }
  if (member.type == '0') member.content = std::to_string(random.below(1000));
  const auto targets = model.link_targets();
  if (!is_symlink && !targets.empty() && random.below(5) == 0) {
    const std::string& target = targets[random.below(targets.size())];
    // A directory in the way of the target would be replaced and the target with it.
    if (!is_at_or_below(target, member.path) && !is_at_or_below(member.path, target)) {
      member.type = '1';
      member.content.clear();
      member.link = target;
    }
  }
  return member;
}

// A hard link would be given the name of a symlink, and a symlink may serve as a directory then: keep them apart.
bool is_usable(const Member& member, const Model& model) {
  if (member.type != '1') return true;
  return model.nodes().at(member.link).text[0] != 'l';
}

// One layer: its whiteouts at random places among its members, which keep their order.
std::string random_layer(Random& random, Model& model, bool is_first) {
  std::vector<std::string> marks;
  for (unsigned n = random.below(4); n > 0; --n) {
    const std::string dir = random_dir(random);
    if (random.below(3) == 0) {
      marks.push_back(path_join(dir, ".wh..wh..opq"));
      if (!is_first) model.opaque(dir);
    } else {
      const std::string name(1, "abcst"[random.below(5)]);
      marks.push_back(path_join(dir, ".wh." + name));
      if (!is_first) model.whiteout(path_join(dir, name));
    }
  }
  std::vector<Member> members;
  for (unsigned n = 1 + random.below(8); n > 0; --n) {
    Member member = random_member(random, model);
    if (!is_usable(member, model)) continue;
    model.put(member);
    members.push_back(member);
  }
  for (const std::string& mark : marks)
    members.insert(members.begin() + random.below(members.size() + 1), {.path = mark});
  test::TarBuilder tar;
  for (const Member& member : members) tar.add(member);
  return tar.finish();
}

void expect_same(const ApplyFixture& tree, const Model& model) {
  Listing expected;
  std::map<int, ino_t> inodes;
  std::set<ino_t> used;
  std::size_t owners = 0;
  for (const auto& [path, node] : model.nodes()) {
    expected[path] = node.text;
    struct stat st {};
    if (::lstat(tree.path(path).c_str(), &st) != 0) continue;  // told by the listing
    if (node.mtime) {
      EXPECT_EQ(st.st_mtim.tv_sec, *node.mtime) << path;
    }
    auto [known, is_new] = inodes.emplace(node.inode, st.st_ino);
    EXPECT_EQ(known->second, st.st_ino) << path;
    if (is_new) {
      EXPECT_TRUE(used.insert(st.st_ino).second) << path;
    }
    EXPECT_EQ(tree.owners.find(path), node.owner) << path;
    if (node.owner) ++owners;
  }
  EXPECT_EQ(tree.list(), expected);
  EXPECT_EQ(tree.owners.size(), owners);
}

TEST(ApplyModel, random_layers_give_what_the_rules_say) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    Model model;
    ApplyFixture tree;
    std::vector<std::string> layers;
    const unsigned count = 1 + random.below(4);
    for (unsigned i = 0; i < count; ++i) layers.push_back(random_layer(random, model, i == 0));
    auto done = tree.apply(layers);
    ASSERT_TRUE(done) << "seed " << seed << ": " << done.error().text;
    expect_same(tree, model);
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace udk::archive
