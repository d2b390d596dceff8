#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "store/context.hpp"
#include "store/images.hpp"
#include "store/repo_lock.hpp"

// Directories in the state directory that keep blobs from being collected; not for other modules.
//
//   draft-X/       the tag directory to be, with its links
//   draft-X.name   "REPOSITORY:TAG", the image that it becomes
//   draft-X.lock   held as long as its process lives
//   pin-X...       the same for an image that is only read
namespace udk::store {

// What a tag directory consists of beside TAG.
struct TagContent {
  std::vector<std::pair<std::string, std::string>> links;  // name, file in `layers`
  std::vector<std::pair<std::string, std::string>> files;  // name, content; the last one decides in a replacement
};

enum class DraftKind { draft, pin };

// A draft of this process.
struct Draft {
  std::string name;  // draft-X
  std::string dir;
  std::optional<Lock> lock;  // none once it is published
};

Result<Draft> make_draft(const Context& context, const ImageName& name, DraftKind kind);
// Puts the links of `content` into the draft's directory. `repo` is held.
Result<> claim_links(const Context& context, RepoLock& repo, const Draft& draft, const ImageName& name,
                     const TagContent& content);
// Puts the files of `content`, and TAG, into the draft's directory.
Result<> write_draft(const Context& context, const Draft& draft, const ImageName& name, const TagContent& content);
// The tag directory `name` is what was claimed and written, from now on. The draft is to be removed afterwards. `repo`
// is held.
Result<> publish_draft(const Context& context, RepoLock& repo, const Draft& draft, const ImageName& name,
                       const TagContent& content);
// Deletes the draft with the blobs that only it refers to. `repo` is held.
Result<> remove_draft(const Context& context, RepoLock& repo, const std::string& draft);
// The same for a draft of this process, also on a full disk. What cannot be removed is left to the next one.
void drop_draft(const Context& context, Draft& draft);

// What a failed or killed pull has fetched is kept this long, so that the next one can go on.
inline constexpr std::chrono::hours k_keep_fetched{24};
// Removes what dead processes left: pins, drafts for the image `name` (if not null), drafts older than `age`, files
// that were being written. `repo` is held.
void sweep_repos(const Context& context, RepoLock& repo, const ImageName* name, std::chrono::seconds age);

// A pin of this process, removed with the object.
class Pin {
 public:
  Pin(std::shared_ptr<const Context> context, Draft draft) : context_(std::move(context)), draft_(std::move(draft)) {}
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;
  ~Pin();
  [[nodiscard]] const Draft& draft() const { return draft_; }

 private:
  std::shared_ptr<const Context> context_;
  Draft draft_;
};

}  // namespace udk::store
