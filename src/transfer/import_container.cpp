#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <thread>

#include "archive/apply.hpp"
#include "base/file.hpp"
#include "store/owners_file.hpp"
#include "transfer/container_parts.hpp"
#include "transfer/import.hpp"
#include "transfer/metadata.hpp"

namespace udk::transfer {
namespace {

// Unpacks the archive into the directory.
Result<> unpack(const std::string& path, int dir, store::ContainerDraft& draft, const ImportOptions& import,
                archive::OwnerRecord& owners) {
  TRY_ASSIGN(Fd input, open_input(path));
  std::array<archive::LayerInput, 1> layers;
  layers[0].blob = std::make_unique<InputSource>(input.get(), import.cancelled);
  layers[0].name = path == "-" ? "standard input" : path;
  archive::ApplyOptions options;
  options.limits = import.limits;
  options.threads = std::thread::hardware_concurrency() > 1 ? archive::Threads::pipeline : archive::Threads::one;
  options.plain_digest = archive::PlainDigest::skipped;
  options.progress = [&](const archive::Progress&) { return draft.renew(); };
  TRY_ASSIGN(auto report, archive::apply_layers(layers, dir, options, owners));
  if (report.layers[0].stored_bytes == 0) return fail(Code::corrupt, layers[0].name + ": it is empty");
  return {};
}

// What a container's directory may have beside ROOT; docs/on-disk-format.md, "Containers". These are files ...
constexpr std::array<std::string_view, 14> k_files{
    "container.json", "imagerepo.name", "PROTECT",    "execmode",    "root.path",  "nvidia",     "owners",
    "osenv.json",     "ld.so.path",     "ld.so.orig", "ld.lib.dirs", "patch.path", "patch.time", "libfakechroot.so"};
// ... and these directories.
constexpr std::array<std::string_view, 3> k_directories{"ROOT", ".mountpoints", ".bind_orig_files"};

template <class List>
bool contains(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// Removes what is not of a container, as links in the place of files, by which the host's would be read.
Result<> keep_known_entries(int dir) {
  TRY_ASSIGN(auto names, list_dir(dir));
  for (const auto& name : names) {
    TRY_ASSIGN(auto status, lstat_at(dir, name));
    if (status && S_ISREG(status->st_mode) && contains(k_files, name)) continue;
    if (status && S_ISDIR(status->st_mode) && contains(k_directories, name)) continue;
    TRY(remove_tree_at(dir, name));
  }
  return {};
}

// What guests believe: the record that the container has, and of other files the modes that unpacking had to widen. Of
// the archive itself the owners are those of the user who made it.
Result<> settle_owners(store::ContainerDraft& draft, int dir, const archive::OwnerRecord& of_the_archive) {
  constexpr std::string_view tree = "ROOT/";
  constexpr std::uint16_t never_on_disk = S_ISUID | S_ISGID, always_on_disk = S_IRUSR | S_IWUSR;
  archive::OwnerRecord owners;
  TRY_ASSIGN(auto text, entry_text(dir, std::string(store::k_owners_file)));
  if (!text.empty()) {
    TRY_ASSIGN(owners, store::owners_from_text(text));
  }
  of_the_archive.for_each([&](std::string_view path, const archive::Ownership& owner) {
    const bool changed = (owner.mode & never_on_disk) != 0 || (owner.mode & always_on_disk) != always_on_disk;
    if (!changed || !path.starts_with(tree) || owners.find(path.substr(tree.size()))) return;
    owners.set(path.substr(tree.size()), {0, 0, owner.mode});
  });
  return draft.set_owners(owners);
}

Result<> settle_metadata(store::ContainerDraft& draft, int dir) {
  TRY_ASSIGN(auto config, entry_text(dir, "container.json"));
  TRY_ASSIGN(auto root, lstat_at(dir, "ROOT"));
  if (config.empty() || !root)
    return fail(
        Code::corrupt,
        "it is no archive of a container's directory, with ROOT and container.json, as export --clone makes it; "
        "import --tocontainer takes an archive of a tree");
  TRY(draft.set_config(config));
  TRY_ASSIGN(auto image, entry_text(dir, "imagerepo.name"));
  return image.empty() ? draft.set_image("CLONING:inprogress") : Result<>();
}

Result<> fill_clone(store::Store& store, store::ContainerDraft& draft, const std::string& path,
                    const ImportOptions& options) {
  TRY_ASSIGN(Fd dir, open_dir(draft.dir()));
  archive::OwnerRecord of_the_archive;
  TRY(unpack(path, dir.get(), draft, options, of_the_archive));
  TRY(keep_known_entries(dir.get()));
  auto settled = settle_metadata(draft, dir.get());
  if (settled) settled = settle_owners(draft, dir.get(), of_the_archive);
  if (settled) settled = settle_mode(store, draft.id(), dir.get());
  if (!settled) return fail(std::move(settled).error().context(path == "-" ? "standard input" : path));
  return {};
}

}  // namespace

Result<std::string> import_container(store::Store& store, const std::string& path, const std::string& image,
                                     const std::string& alias, const ImportOptions& options) {
  TRY_ASSIGN(auto draft, store.containers().begin());
  archive::OwnerRecord owners;
  TRY(unpack(path, draft.root_fd(), draft, options, owners));
  TRY(draft.set_owners(owners));
  TRY(draft.set_config(made_up_config(options.platform, std::nullopt)));
  TRY(draft.set_image(image));
  const std::string id = draft.id();
  TRY(draft.publish(alias));
  if (options.source == Source::move) TRY(unlink_at(AT_FDCWD, path));
  return id;
}

Result<std::string> import_clone(store::Store& store, const std::string& path, const std::string& alias,
                                 const ImportOptions& options) {
  TRY_ASSIGN(auto draft, store.containers().begin());
  TRY(fill_clone(store, draft, path, options));
  const std::string id = draft.id();
  TRY(draft.publish(alias));
  if (options.source == Source::move) TRY(unlink_at(AT_FDCWD, path));
  return id;
}

}  // namespace udk::transfer
