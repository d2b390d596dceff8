#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "image/descriptor.hpp"
#include "image/manifest.hpp"
#include "image/platform.hpp"
#include "image/reference.hpp"
#include "registry/blob_sink.hpp"
#include "registry/credentials.hpp"

namespace udk::registry {

enum class Tls { verify, insecure };

struct Options {
  // "https://host[:port][/prefix]" or "http://...". Without a scheme: https, then http if the host is a loopback
  // address or `tls` is insecure.
  std::string registry_url;
  std::string repository;  // to ask for, whatever the name of the image; "": as the name says
  std::string http_proxy;  // "" = the environment's (libcurl); else [http|socks4|socks4a|socks5|socks5h://]host:port
  Tls tls = Tls::verify;
  std::string ca_file;  // "" = found (see ca_bundle.hpp)
  CredentialsProvider credentials;
  std::string user_agent = "udocker";
  std::chrono::seconds connect_timeout{6};
  std::chrono::seconds stall_timeout{60};  // a transfer that moves no byte for so long is cut and tried again
  unsigned connections = 4;
  unsigned attempts = 5;                               // without progress, per request
  std::chrono::milliseconds first_delay{500};          // back-off: doubled each time, with jitter
  std::chrono::seconds longest_delay{30};              // a Retry-After beyond it ends the request with an error
  std::function<bool()> cancelled;                     // asked at least every 100 ms; true ends with EINTR
  std::function<void(const std::string&)> on_warning;  // one line for the user
};

// A manifest or an index as received, with its digest (verified).
struct Fetched {
  std::string raw;
  std::string media_type;
  image::Digest digest;
};

// What a reference and a platform lead to.
struct Resolved {
  image::Manifest manifest;  // raw bytes, config descriptor, layers (base first)
  image::Digest digest;      // of the manifest
  std::optional<image::Digest> index_digest;
  bool platform_known = false;  // an index said that it is for a wanted one
  std::string repository;       // at the registry: to be given to fetch_blobs
};

// One blob to fetch. `sink` outlives the call. `on_complete` is called when offset() has reached the descriptor's size:
// it verifies and commits. Code::corrupt from it makes the client restart the blob once from zero; any other error ends
// the fetch.
struct BlobRequest {
  image::Descriptor descriptor;
  BlobSink* sink = nullptr;
  std::function<Result<>()> on_complete;
  std::function<void(std::uint64_t bytes_so_far)> on_progress;  // optional; also after a restart
};

struct SearchQuery {
  std::string expression;  // "": everything
  std::size_t page = 1;
  std::size_t page_size = 25;
};
struct SearchHit {
  std::string name, description;  // as the server sends them: to be cleaned before a terminal sees them
  bool official = false;
  std::uint64_t stars = 0;
};
struct SearchPage {
  std::vector<SearchHit> hits;
  bool last = false;
};

// The distribution protocol (OCI distribution-spec 1.1) with one registry: authentication, redirects, retries and
// verification. Not for use from several threads. Errors are one line with object, cause and remedy:
// Code::not_found, unauthorized, denied, network, corrupt, unsupported; sys_errno EINTR when cancelled.
class Client {
 public:
  static Result<Client> create(Options options);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // The document as the registry has it, index or manifest (`manifest inspect`).
  Result<Fetched> fetch_manifest(const image::Reference& reference);
  // Follows indexes down to the manifest for the first of the wanted platforms that there is.
  Result<Resolved> resolve(const image::Reference& reference, std::span<const image::Platform> wanted);
  Result<Resolved> resolve(const image::Reference& reference, const image::Platform& platform);
  // What the registry is asked for first.
  [[nodiscard]] std::string repository_of(const image::Reference& reference) const;
  // All blobs, a few at a time, in the order given; returns when every on_complete has succeeded, or with the first
  // error.
  Result<> fetch_blobs(const std::string& repository, std::span<BlobRequest> blobs);
  // Whether the registry takes the credentials; false: it asks nobody for any. Code::unauthorized: it refuses them.
  Result<bool> check_login();
  // A page of what the index of this address finds, by Docker Hub's interface of today or else the old one.
  // Code::not_found: it has neither.
  Result<SearchPage> search(const SearchQuery& query);
  // GET /v2/NAME/tags/list, all pages.
  Result<std::vector<std::string>> list_tags(const image::Reference& reference);

 private:
  class Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace udk::registry
