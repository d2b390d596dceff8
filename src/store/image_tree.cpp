#include "store/image_tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "base/file.hpp"
#include "base/path.hpp"
#include "store/context.hpp"
#include "store/dir_entries.hpp"
#include "store/names.hpp"

namespace udk::store {
namespace {

constexpr std::size_t k_max_depth = 128;

struct Place {
  std::string path;      // of the directory
  std::string relative;  // to repos, "" for repos itself
  std::vector<std::pair<dev_t, ino_t>> above;
  bool by_link = false;  // it, or a directory above it, was reached by a link
};

bool is_tag_dir(const std::vector<DirEntry>& entries) {
  return std::any_of(entries.begin(), entries.end(),
                     [](const DirEntry& entry) { return entry.type == EntryType::file && entry.name == "TAG"; });
}

// A link in a directory that is no image may lead to a directory of images elsewhere. Not to one that the repository
// itself is in, and no further by links from there: that could be the whole disk.
bool is_link_to_images(const std::string& repos, const Place& place, const DirEntry& entry) {
  if (entry.type != EntryType::link || place.by_link) return false;
  std::string path = place.path + '/' + entry.name;
  if (!is_dir(path)) return false;
  auto target = real_path(path);
  auto own = real_path(repos);
  return target && own && !path_has_prefix(*own, *target);
}

// Reads one directory, reports it if it is an image, and adds the directories in it to `todo` in directory order.
Result<> visit(const std::string& repos, Place place,
               const std::function<void(const ImageName&, const std::string&)>& f, std::vector<Place>& todo) {
  struct stat st {};
  if (::stat(place.path.c_str(), &st) != 0) return {};  // removed meanwhile
  std::pair id(st.st_dev, st.st_ino);
  if (place.above.size() > k_max_depth || std::find(place.above.begin(), place.above.end(), id) != place.above.end())
    return {};
  auto entries = dir_entries(place.path);
  if (!entries) return place.above.empty() ? fail(std::move(entries).error()) : Result<>();
  bool tag_dir = is_tag_dir(*entries);
  auto slash = place.relative.rfind('/');
  if (tag_dir && slash != std::string::npos)
    f({place.relative.substr(0, slash), place.relative.substr(slash + 1)}, place.path);
  place.above.push_back(id);
  for (auto it = entries->rbegin(); it != entries->rend(); ++it) {
    if (place.relative.empty() && it->name == k_state_dir) continue;
    bool linked = !tag_dir && is_link_to_images(repos, place, *it);
    if (it->type == EntryType::directory || linked)
      todo.push_back(
          {place.path + '/' + it->name, path_join(place.relative, it->name), place.above, place.by_link || linked});
  }
  return {};
}

}  // namespace

Result<> walk_images(const std::string& repos, const std::function<void(const ImageName&, const std::string&)>& f) {
  std::vector<Place> todo;
  todo.push_back({repos, "", {}, false});
  while (!todo.empty()) {
    Place place = std::move(todo.back());
    todo.pop_back();
    TRY(visit(repos, std::move(place), f, todo));
  }
  return {};
}

std::string blob_of_link(const std::string& dir, const std::string& link) {
  if (is_blob_name(link)) return link;
  auto target = readlink_at(AT_FDCWD, path_join(dir, link));
  std::string name(target ? path_basename(*target) : std::string_view());
  return is_blob_name(name) ? name : "";
}

Result<> add_blobs_of_dir(const std::string& dir, std::set<std::string>& blobs) {
  auto entries = dir_entries(dir);
  if (!entries) return entries.error().code == Code::not_found ? Result<>() : fail(std::move(entries).error());
  for (const auto& entry : *entries) {
    if (entry.type != EntryType::link) continue;
    if (auto blob = blob_of_link(dir, entry.name); !blob.empty()) blobs.insert(blob);
  }
  return {};
}

Result<> add_blobs_of_tree(const std::string& repos, std::set<std::string>& blobs) {
  std::vector<std::string> todo{repos};
  while (!todo.empty()) {
    std::string at = std::move(todo.back());
    todo.pop_back();
    auto entries = dir_entries(at);
    if (!entries && entries.error().code == Code::not_found) continue;
    if (!entries) return fail(std::move(entries).error());
    for (const auto& entry : *entries) {
      if (entry.type == EntryType::directory && !(at == repos && entry.name == k_state_dir))
        todo.push_back(path_join(at, entry.name));
      if (entry.type != EntryType::link) continue;
      if (auto blob = blob_of_link(at, entry.name); !blob.empty()) blobs.insert(blob);
    }
  }
  return {};
}

}  // namespace udk::store
