#include <map>

#include "image/platform.hpp"
#include "transfer/archived_image.hpp"

namespace udk::transfer {
namespace {

// Indexes in indexes; everybody writes one, some two.
constexpr int k_max_depth = 8;
// containerd and docker write the whole name here ...
constexpr const char* k_full_name = "io.containerd.image.name";
// ... and in the standard annotation the tag alone, or the whole name too.
constexpr const char* k_ref_name = "org.opencontainers.image.ref.name";

std::string name_of(const image::Descriptor& entry) {
  for (const char* key : {k_full_name, k_ref_name}) {
    auto found = entry.annotations.find(key);
    if (found != entry.annotations.end() && !found->second.empty()) return found->second;
  }
  return "";
}

// Attestations, which tools put beside images.
bool is_attestation(const image::Descriptor& entry) {
  return entry.annotations.contains("vnd.docker.reference.type") ||
         (entry.platform && entry.platform->os == "unknown" && entry.platform->architecture == "unknown");
}

Result<image::Index> index_of_layout(Members& members) {
  auto text = members.text("index.json", image::k_max_manifest_size);
  if (!text) return fail(std::move(text).error());
  auto document = image::parse_document(std::move(*text), "");
  if (!document) return fail(std::move(document).error().context("index.json"));
  if (auto* index = std::get_if<image::Index>(&*document)) return std::move(*index);
  return fail(Code::corrupt, "index.json is no index");
}

Result<store::ReceivedFile> blob_of(Members& members, const image::Descriptor& part) {
  TRY_ASSIGN(auto file, members.file(blob_member(part.digest)));
  if (file.size != part.size)
    return fail(Code::corrupt, blob_member(part.digest) + " has " + std::to_string(file.size) + " bytes, not the " +
                                   std::to_string(part.size) + " that its descriptor says");
  return file;
}

Result<image::Document> document_of(Members& members, const image::Descriptor& entry) {
  TRY(blob_of(members, entry));
  TRY_ASSIGN(auto text, members.text(blob_member(entry.digest), image::k_max_manifest_size));
  auto document = image::parse_document(std::move(text), entry.media_type);
  if (!document) return fail(std::move(document).error().context(blob_member(entry.digest)));
  return document;
}

// Down to the manifest for this machine.
Result<image::Manifest> manifest_of(Members& members, image::Descriptor entry) {
  const auto platforms = image::host_platforms();
  for (int depth = 0; depth < k_max_depth; ++depth) {
    TRY_ASSIGN(auto document, document_of(members, entry));
    if (auto* manifest = std::get_if<image::Manifest>(&document)) return std::move(*manifest);
    const auto& index = std::get<image::Index>(document);
    // One that was made for another machine on purpose has no other.
    if (index.entries.size() == 1) {
      entry = index.entries.front();
    } else {
      TRY_ASSIGN(entry, index.choose(platforms));
    }
  }
  return fail(Code::corrupt, "indexes are nested too deeply");
}

void collect_manifests(Members& members, const image::Index& index, int depth, std::vector<image::Manifest>& out) {
  for (const auto& entry : index.entries) {
    if (!members.has(blob_member(entry.digest))) continue;
    auto document = document_of(members, entry);
    if (!document) continue;
    if (auto* manifest = std::get_if<image::Manifest>(&*document))
      out.push_back(std::move(*manifest));
    else if (depth < k_max_depth)
      collect_manifests(members, std::get<image::Index>(*document), depth + 1, out);
  }
}

// Entries of one name are one image for several platforms, as are nameless ones that tell their platform.
Result<std::vector<std::pair<std::string, image::Descriptor>>> chosen_entries(image::Index index) {
  std::vector<std::pair<std::string, image::Descriptor>> out;
  std::map<std::string, image::Index> groups;
  for (auto& entry : index.entries) {
    if (is_attestation(entry)) continue;
    const auto name = name_of(entry);
    if (name.empty() && !entry.platform)
      out.emplace_back("", std::move(entry));
    else
      groups[name].entries.push_back(std::move(entry));
  }
  const auto platforms = image::host_platforms();
  for (auto& [name, group] : groups) {
    if (group.entries.size() == 1) {
      out.emplace_back(name, std::move(group.entries.front()));
    } else {
      TRY_ASSIGN(auto entry, group.choose(platforms));
      out.emplace_back(name, std::move(entry));
    }
  }
  return out;
}

}  // namespace

Result<std::vector<store::ReceivedFile>> files_of_manifest(Members& members, const image::Manifest& manifest) {
  std::vector<store::ReceivedFile> files;
  TRY_ASSIGN(auto config, blob_of(members, manifest.config));
  files.push_back(std::move(config));
  for (const auto& layer : manifest.layers) {
    TRY_ASSIGN(auto file, blob_of(members, layer));
    files.push_back(std::move(file));
  }
  return files;
}

Result<std::vector<image::Manifest>> manifests_of_layout(Members& members) {
  std::vector<image::Manifest> out;
  TRY_ASSIGN(auto index, index_of_layout(members));
  collect_manifests(members, index, 0, out);
  return out;
}

Result<std::vector<ArchivedImage>> read_oci_layout(Members& members) {
  TRY_ASSIGN(auto index, index_of_layout(members));
  TRY_ASSIGN(auto entries, chosen_entries(std::move(index)));
  std::vector<ArchivedImage> out;
  for (auto& [name, entry] : entries) {
    TRY_ASSIGN(auto manifest, manifest_of(members, entry));
    TRY(manifest.check_is_image());
    TRY_ASSIGN(auto files, files_of_manifest(members, manifest));
    out.push_back(
        {name.empty() ? std::vector<std::string>() : std::vector{name}, std::move(manifest), std::move(files)});
  }
  return out;
}

}  // namespace udk::transfer
