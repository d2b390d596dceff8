#pragma once

#include <set>
#include <string>

#include "base/result.hpp"
#include "store/context.hpp"
#include "store/images.hpp"
#include "store/lock.hpp"

// Changes of the directory `repos`; not for other modules.
namespace udk::store {

// What a change of one image may leave over, written down before it starts: whoever takes the lock next finishes the
// work of a process that died.
struct Intent {
  ImageName name;
  std::set<std::string> blobs;  // those that the image had
  std::string manifest;         // key of its manifest record, "" if none
};

// What a change does on a disk that has no room for the intent: a removal makes room and goes on.
enum class IfNoRoom { fail, go_on };

// The right to change repos and to delete blobs; held for moments only.
class RepoLock {
 public:
  // Finishes what a process that died in the middle of a change has left.
  static Result<RepoLock> acquire(const Context& context);

  // To be called before an existing tag directory is changed. The intent stays until settle().
  Result<Intent> intend(const ImageName& name, IfNoRoom if_no_room = IfNoRoom::fail);
  // Whatever state the tag directory is in: removes what does not belong to it, all of it if it is no image (any more),
  // then the blobs and the manifest record that nobody needs any more. Removal::force: goes on after an error.
  Result<> settle(const Intent& intent, Removal removal = Removal::normal);

  // Deletes those of the blobs that no image and no draft (but `except`) refers to.
  Result<> collect(const std::set<std::string>& blobs, const std::string& except_draft = {});
  // Deletes the manifest record of this key, unless an image needs it.
  Result<> collect_manifest(const std::string& key);

 private:
  RepoLock(const Context& context, Lock lock) : context_(&context), lock_(std::move(lock)) {}
  Result<> recover();
  Result<> write_intent(const Intent& intent);
  [[nodiscard]] std::string intent_path() const;

  const Context* context_;
  Lock lock_;
};

// Where image manifests are kept as the registry sent them: the file of the hash of their stored form.
std::string manifest_record_dir(const Context& context);
// The name of that file: SHA-256 of the content of the tag directory's `manifest`.
std::string manifest_key(std::string_view stored_manifest);

std::string tag_dir(const Context& context, const ImageName& name);
// The tag directory and those above it, as far as they are empty; the lower ones may be gone already.
void remove_empty_dirs(const Context& context, const ImageName& name);
// TAG is there.
bool is_image(const std::string& dir);

}  // namespace udk::store
