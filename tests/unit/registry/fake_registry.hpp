#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "image/digest.hpp"
#include "registry/client.hpp"
#include "unit/registry/loopback_server.hpp"

namespace udk::test {

inline const image::Platform k_amd64{"linux", "amd64", ""};
inline image::Reference name(const std::string& text) { return *image::Reference::parse(text); }

// The content of a registry, and answers for it without authentication. Tests wrap handle() to misbehave.
struct FakeContent {
  std::map<std::string, std::pair<std::string, std::string>> manifests;  // "NAME:REF" -> type, body
  std::map<std::string, std::string> blobs;                              // digest -> bytes

  std::string add_blob(const std::string& bytes) {
    auto digest = image::Digest::of(bytes).text();
    blobs[digest] = bytes;
    return digest;
  }
  // Under its digest, and under `tag` unless that is "". Returns the digest.
  std::string add_manifest(const std::string& name, const std::string& tag, const std::string& type,
                           const std::string& body) {
    auto digest = image::Digest::of(body).text();
    manifests[name + ":" + digest] = {type, body};
    if (!tag.empty()) manifests[name + ":" + tag] = {type, body};
    return digest;
  }

  [[nodiscard]] static std::string descriptor(const std::string& type, const std::string& digest, std::size_t size,
                                              const std::string& more = "") {
    return R"({"mediaType":")" + type + R"(","digest":")" + digest + R"(","size":)" + std::to_string(size) + more + "}";
  }

  // An image whose layers are these bytes.
  std::string add_image(const std::string& name, const std::string& tag, const std::vector<std::string>& layers) {
    const std::string config = R"({"architecture":"amd64","os":"linux","config":{}})";
    std::string body = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
                       descriptor("application/vnd.oci.image.config.v1+json", add_blob(config), config.size()) +
                       R"(,"layers":[)";
    for (const auto& layer : layers) {
      if (&layer != layers.data()) body += ",";
      body += descriptor("application/vnd.oci.image.layer.v1.tar", add_blob(layer), layer.size());
    }
    return add_manifest(name, tag, "application/vnd.oci.image.manifest.v1+json", body + "]}");
  }

  [[nodiscard]] HttpReply handle(const HttpRequest& request) const {
    auto manifest_at = request.target.find("/manifests/");
    auto blob_at = request.target.find("/blobs/");
    if (manifest_at != std::string::npos) {
      auto it =
          manifests.find(request.target.substr(4, manifest_at - 4) + ":" + request.target.substr(manifest_at + 11));
      if (it == manifests.end())
        return {404, {}, R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]})", {}};
      auto digest = image::Digest::of(it->second.second).text();
      return {200, {{"Content-Type", it->second.first}, {"Docker-Content-Digest", digest}}, it->second.second, {}};
    }
    if (blob_at == std::string::npos) return {404, {}, "", {}};
    auto it = blobs.find(request.target.substr(blob_at + 7));
    if (it == blobs.end()) return {404, {}, R"({"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]})", {}};
    return ranged(request, it->second);
  }

  // The bytes, or the part that a Range header asks for.
  [[nodiscard]] static HttpReply ranged(const HttpRequest& request, const std::string& bytes) {
    HttpReply reply{200, {{"ETag", "\"tag\""}}, bytes, {}};
    auto range = request.header("range");
    if (range.empty()) return reply;
    auto first = std::stoul(range.substr(6));
    if (first >= bytes.size()) return {416, {}, "", {}};
    reply.status = 206;
    reply.body = bytes.substr(first);
    reply.headers.emplace_back(
        "Content-Range",
        "bytes " + std::to_string(first) + "-" + std::to_string(bytes.size() - 1) + "/" + std::to_string(bytes.size()));
    return reply;
  }
};

// Keeps a blob in memory.
class MemorySink : public registry::BlobSink {
 public:
  [[nodiscard]] std::uint64_t offset() const override { return data.size(); }
  Result<> write(Bytes bytes) override {
    if (fails_with) return fail(*fails_with);
    data.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  Result<> restart() override {
    ++restarts;
    data.clear();
    return {};
  }
  std::string data;
  unsigned restarts = 0;
  std::optional<Error> fails_with;
};

inline registry::Options quick_options(const std::string& url) {
  registry::Options options;
  options.registry_url = url;
  options.first_delay = std::chrono::milliseconds(1);
  return options;
}

inline registry::Client client(const LoopbackServer& server) {
  return std::move(*registry::Client::create(quick_options(server.url())));
}

// Fetches one blob into the sink, verified as a store would.
inline Result<> fetch_blob(registry::Client& client, const std::string& repository, const image::Descriptor& descriptor,
                           MemorySink& sink) {
  registry::BlobRequest request{descriptor, &sink, nullptr, nullptr};
  request.on_complete = [&]() -> Result<> {
    if (image::Digest::of(sink.data, descriptor.digest.kind()) != descriptor.digest)
      return fail(Code::corrupt, "digest mismatch");
    return {};
  };
  return client.fetch_blobs(repository, {&request, 1});
}

}  // namespace udk::test
