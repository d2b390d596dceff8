#include "base/copy_tree.hpp"

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/copy_entry.hpp"
#include "base/file.hpp"
#include "base/open_file_limit.hpp"
#include "base/own_file.hpp"

namespace udk {
namespace {

constexpr unsigned k_most_threads = 4;
constexpr std::size_t k_batch = 256;  // names that one thread takes at once
constexpr std::chrono::milliseconds k_look_up{200};

// Some of the names of a directory.
struct Task {
  std::shared_ptr<CopiedDir> dir;
  std::vector<std::string> names;
};

class TreeCopy {
 public:
  TreeCopy(const std::string& to, const CopyOptions& options) : options_(options), shared_(to) {}

  Result<> run(const std::string& from, const std::string& to) {
    TRY(begin(from, to));
    std::vector<std::thread> threads;
    const unsigned count = std::clamp(std::thread::hardware_concurrency(), 1U, k_most_threads);
    for (unsigned i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
    watch();
    for (auto& thread : threads) thread.join();
    tasks_.clear();  // what is left after an error
    if (error_) return fail(std::move(*error_));
    return shared_.finish();
  }

 private:
  Result<> begin(const std::string& from, const std::string& to) {
    TRY_ASSIGN(auto source, OwnDir::open(AT_FDCWD, from));
    TRY_ASSIGN(Fd target, open_dir(to));
    TRY_ASSIGN(auto names, list_dir(source.fd()));
    names.erase(std::remove(names.begin(), names.end(), options_.except), names.end());
    add(std::make_shared<CopiedDir>(shared_, std::move(source), std::move(target), ""), std::move(names));
    return {};
  }

  void add(const std::shared_ptr<CopiedDir>& dir, std::vector<std::string> names) {
    const std::lock_guard guard(mutex_);
    // The last in, the first out: few directories are open at one time.
    for (std::size_t at = 0; at < names.size(); at += k_batch) {
      const auto begin = names.begin() + static_cast<std::ptrdiff_t>(at);
      const auto end = names.begin() + static_cast<std::ptrdiff_t>(std::min(at + k_batch, names.size()));
      tasks_.push_back({dir, {std::make_move_iterator(begin), std::make_move_iterator(end)}});
    }
    changed_.notify_all();
  }

  std::optional<Task> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return error_ || !tasks_.empty() || busy_ == 0; });
    if (error_ || tasks_.empty()) return std::nullopt;
    Task task = std::move(tasks_.back());
    tasks_.pop_back();
    ++busy_;
    return task;
  }

  void done(Result<> result) {
    const std::lock_guard guard(mutex_);
    --busy_;
    if (!result && !error_) error_ = std::move(result).error();
    changed_.notify_all();
  }

  void work() {
    EntryCopier copier(shared_);
    while (auto task = take()) {
      auto result = copy_names(copier, *task);
      task.reset();  // the directory is complete before others see that nobody works
      done(std::move(result));
    }
  }

  Result<> copy_names(EntryCopier& copier, const Task& task) {
    for (const auto& name : task.names) {
      if (stopped()) return {};
      TRY_ASSIGN(auto below, copier.copy(*task.dir, name));
      if (!below) continue;
      auto names = list_dir(below->from());
      if (!names) return fail(std::move(names).error().context(below->path()));
      add(below, std::move(*names));
    }
    return {};
  }

  bool stopped() {
    const std::lock_guard guard(mutex_);
    return error_.has_value();
  }

  void watch() {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, k_look_up, [this] { return error_ || (tasks_.empty() && busy_ == 0); })) {
      lock.unlock();
      auto good = options_.progress ? options_.progress() : Result<>();
      lock.lock();
      if (!good && !error_) error_ = std::move(good).error();
      changed_.notify_all();
    }
  }

  const CopyOptions& options_;
  SharedCopy shared_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Task> tasks_;
  unsigned busy_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<> copy_tree(const std::string& from, const std::string& to, const CopyOptions& options) {
  raise_open_file_limit();  // a walk of a tree holds one for each level
  return TreeCopy(to, options).run(from, to);
}

}  // namespace udk
