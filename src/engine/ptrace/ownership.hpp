#pragma once

#include <sys/stat.h>

#include <optional>
#include <string_view>

#include "engine/ptrace/call_stop.hpp"

// Owners, modes and permissions as the guest believes them, over what the disk has.
namespace udk::engine {

// Under which guest path a file is known.
struct FileName {
  std::optional<std::string_view> path;  // canonical; none: only its inode is known
  bool kept = false;                     // it lies in the container's own tree
};
FileName name_of(const Run& run, const xlate::Resolution& at);
// Of an open file, by its kernel link; `buffer` holds the text.
FileName name_of_link(const Run& run, const char* link, xlate::GuestPath& buffer);
// Of what run.at is, be it a path or an open file.
FileName name_of_located(const Run& run, xlate::GuestPath& buffer);

// The file as the guest shall see it. `st` is what the kernel says.
Belief belief_of(Run& run, const struct stat& st, const FileName& name);
void show(Run& run, struct stat& st, const FileName& name);
void show(Run& run, struct statx& st, const FileName& name);
// Looks at the file of which something was recorded under this name, so that it is known by its inode. False: it is not
// there.
bool see_recorded(Run& run, const std::string& path);
void see_all_recorded(Run& run);
// Remembers what is believed of a file from now on, or nothing if the disk says the same.
void settle(Run& run, const struct stat& st, const FileName& name, const Belief& belief);

// Whether the credentials own the file, or may act as if they did.
bool acts_as_owner(const Credentials& c, const Belief& belief);
bool in_group(const Credentials& c, gid_t gid);
// access(2) by mode bits; `uid` and `gid` are the ids that count. 0 or -EACCES.
int check_mode(const Credentials& c, std::uint32_t uid, std::uint32_t gid, const Belief& belief, mode_t type,
               int wanted);

// open(2) of a file of which something is recorded, as owner and mode would have it: 0 or -EACCES.
int check_recorded_mode(CallStop& stop, const xlate::Resolution& at, unsigned flags);
// The same of the directory that a name was found in: whether it may be searched (X_OK) and changed (W_OK).
int check_recorded_folder(CallStop& stop, const xlate::Resolution& at, int wanted);

// The mode that the disk gets: no set-id bits on files, and as root every file stays usable for the user to whom it
// really belongs.
mode_t disk_mode(const Run& run, mode_t mode, bool directory);

// What is believed of a file that the task makes with this mode, its group not inherited.
Belief new_file_belief(const Task& task, mode_t mode);

// Before the guest makes a file there: whose it will be. `mode` as given to the call, with its type.
void note_creation(CallStop& stop, const xlate::Resolution& at, mode_t mode, dev_t device = 0);
// Whether a file of this mode (with its type) would keep out the user to whom it really belongs.
bool needs_widening(const Run& run, mode_t mode);

}  // namespace udk::engine
