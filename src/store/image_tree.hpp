#pragma once

#include <functional>
#include <set>
#include <string>

#include "base/result.hpp"
#include "store/images.hpp"

namespace udk::store {

// Calls f for every tag directory below `repos`, those below another tag directory too. Links to directories are
// followed, as the Python tool does, but never in a circle.
Result<> walk_images(const std::string& repos, const std::function<void(const ImageName&, const std::string& dir)>& f);

// The blob that a link of a tag directory stands for, by its own name or, for names like container.json, by that of its
// target; "" if it is none.
std::string blob_of_link(const std::string& dir, const std::string& link);

// The blobs of all links below `repos`, at any depth, without our own state directory.
Result<> add_blobs_of_tree(const std::string& repos, std::set<std::string>& blobs);
// The blobs of the links in one directory.
Result<> add_blobs_of_dir(const std::string& dir, std::set<std::string>& blobs);

}  // namespace udk::store
