#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "registry/call.hpp"
#include "registry/client.hpp"
#include "registry/http.hpp"
#include "registry/session.hpp"

namespace udk::registry {

// One blob on its way into its sink: resumed after a broken connection, begun again once if it came out wrong.
class BlobFetch {
 public:
  BlobFetch(Session& session, const std::string& repository, BlobRequest& blob);
  BlobFetch(const BlobFetch&) = delete;
  BlobFetch& operator=(const BlobFetch&) = delete;

  [[nodiscard]] bool is_done() const { return done_; }
  [[nodiscard]] bool is_running() const { return exchange_ != nullptr; }
  [[nodiscard]] bool owns(const Exchange* exchange) const { return exchange_.get() == exchange; }
  [[nodiscard]] Transport::Clock::time_point ready_at() const { return call_.ready_at(); }

  // Sends the next request, or finds that the sink already has everything.
  Result<> start();
  // The exchange has ended: completes the blob or prepares the next request.
  Result<> finished();

 private:
  Result<> take(const Response& response, Bytes data);
  Result<> place(const Response& response);
  Result<> judge_end();
  Result<> complete();
  Result<> begin_again(const std::string& why);
  Result<> restart_sink();
  void remember_validator(const Response& response);
  void report() const;
  [[nodiscard]] std::uint64_t size() const { return blob_.descriptor.size; }

  Session& session_;
  BlobRequest& blob_;
  Call call_;
  std::unique_ptr<Exchange> exchange_;
  bool done_ = false;
  bool placed_ = false;    // this exchange's first byte has been matched with the sink's offset
  bool received_ = false;  // something has come from the registry at all
  bool began_again_ = false;
  std::uint64_t asked_offset_ = 0, mark_ = 0;
  std::string validator_, validator_origin_;  // a strong ETag and the server that gave it
  std::optional<Error> sink_error_;
};

// All blobs, at most options().connections at once.
Result<> fetch_all(Session& session, const std::string& repository, std::span<BlobRequest> blobs);

// "bytes 5-9/10" -> first 5, total 10 (nullopt for *). nullopt if malformed (RFC 9110, section 14.4).
struct ContentRange {
  std::uint64_t first = 0, last = 0;
  std::optional<std::uint64_t> total;
};
std::optional<ContentRange> parse_content_range(std::string_view value);

}  // namespace udk::registry
