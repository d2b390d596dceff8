#include "registry/blob_fetch.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "registry/errors.hpp"
#include "registry/manifests.hpp"

namespace udk::registry {
namespace {

constexpr std::size_t k_max_error_body = 16 << 10;
// So much more than before, and earlier failures of the connection are forgiven.
constexpr std::uint64_t k_progress = 64 << 10;

CallSpec blob_call(const std::string& repository, const image::Descriptor& descriptor) {
  bool is_config = descriptor.media_type.find("config") != std::string::npos ||
                   descriptor.media_type.find("container.image") != std::string::npos;
  CallSpec spec;
  spec.what = (is_config ? "image configuration " : "layer ") + descriptor.digest.text();
  spec.path = "/v2/" + repository + "/blobs/" + descriptor.digest.text();
  spec.scope = pull_scope(repository);
  return spec;
}

}  // namespace

std::optional<ContentRange> parse_content_range(std::string_view value) {
  auto text = trim(value);
  if (!starts_with_ignoring_case(text, "bytes ")) return std::nullopt;
  text = trim(text.substr(6));
  auto slash = text.find('/');
  auto dash = text.find('-');
  if (slash == std::string_view::npos || dash == std::string_view::npos || dash > slash) return std::nullopt;
  auto first = parse_uint(text.substr(0, dash));
  auto last = parse_uint(text.substr(dash + 1, slash - dash - 1));
  auto total = parse_uint(text.substr(slash + 1));
  if (!first || !last || *last < *first || (!total && text.substr(slash + 1) != "*")) return std::nullopt;
  return ContentRange{*first, *last, total};
}

BlobFetch::BlobFetch(Session& session, const std::string& repository, BlobRequest& blob)
    : session_(session), blob_(blob), call_(session, blob_call(repository, blob.descriptor)) {}

void BlobFetch::report() const {
  if (blob_.on_progress) blob_.on_progress(blob_.sink->offset());
}

Result<> BlobFetch::start() {
  if (blob_.sink->offset() > size()) TRY(restart_sink());
  if (blob_.sink->offset() == size()) return complete();
  TRY_ASSIGN(auto request, call_.next());
  asked_offset_ = blob_.sink->offset();
  placed_ = false;
  mark_ = asked_offset_;
  if (asked_offset_ > 0) {
    request.headers.push_back("Range: bytes=" + std::to_string(asked_offset_) + "-");
    if (!validator_.empty() && request.url.origin() == validator_origin_)
      request.headers.push_back("If-Range: " + validator_);
  }
  exchange_ = std::make_unique<Exchange>(std::move(request), k_max_error_body,
                                         [this](const Response& response, Bytes data) { return take(response, data); });
  return session_.transport().start(*exchange_);
}

Result<> BlobFetch::restart_sink() {
  auto result = blob_.sink->restart();
  if (!result) sink_error_ = result.error();
  return result;
}

void BlobFetch::remember_validator(const Response& response) {
  auto tag = response.header("etag");
  bool strong = tag.size() >= 2 && tag.front() == '"' && tag.back() == '"';
  validator_ = strong ? tag : "";
  validator_origin_ = exchange_->request().url.origin();
}

// The answer's first byte must belong where the sink stands.
Result<> BlobFetch::place(const Response& response) {
  placed_ = true;
  received_ = true;
  remember_validator(response);
  if (response.status == 206) {
    auto range = parse_content_range(response.header("content-range"));
    if (!range || range->first != asked_offset_)
      return fail(Code::corrupt, "the server sent another part than the one asked for");
    if (range->total && *range->total != size()) return fail(Code::corrupt, "its size is not the announced one");
    return {};
  }
  if (asked_offset_ > 0) TRY(restart_sink());
  mark_ = 0;
  auto length = parse_uint(response.header("content-length"));
  if (length && *length != size())
    return fail(Code::corrupt,
                "its size is " + std::to_string(*length) + " bytes, announced were " + std::to_string(size()));
  return {};
}

Result<> BlobFetch::take(const Response& response, Bytes data) {
  if (!placed_) TRY(place(response));
  if (data.size() > size() - blob_.sink->offset()) return fail(Code::corrupt, "it is larger than announced");
  if (auto written = blob_.sink->write(data); !written) {
    sink_error_ = written.error();
    return written;
  }
  if (blob_.sink->offset() >= mark_ + k_progress) {
    mark_ = blob_.sink->offset();
    call_.progress();
  }
  report();
  return {};
}

Result<> BlobFetch::finished() {
  auto result = judge_end();
  exchange_.reset();
  return result;
}

Result<> BlobFetch::judge_end() {
  if (sink_error_) return fail(sink_error_->context(call_.spec().what));
  if (exchange_->end() == Exchange::End::refused) return begin_again(exchange_->error().text);
  TRY_ASSIGN(auto step, call_.judge(*exchange_));
  if (step == Call::Step::again) return {};
  const auto& response = exchange_->response();
  bool good = response.status == 200 || response.status == 206;
  if (good && blob_.sink->offset() == size()) return complete();
  if (good) {
    Error why(Code::network, call_.server() + " closed the connection before the end of the " + call_.spec().what);
    TRY(call_.retry(why));
    return {};
  }
  // The sink's offset does not suit the server: all of it then.
  if (response.status == 416 && asked_offset_ > 0) return begin_again("the server cannot continue it");
  auto error = status_error(response, call_.spec().what, call_.server(),
                            login_command(session_.options().registry_url, session_.is_docker_hub()));
  if (response.status == 404 && !blob_.descriptor.urls.empty())
    error.text += "; it is a foreign layer, which is not downloaded from other places";
  return fail(std::move(error));
}

Result<> BlobFetch::complete() {
  auto result = blob_.on_complete();
  if (result) {
    done_ = true;
    return {};
  }
  if (result.error().code != Code::corrupt) return fail(std::move(result).error().context(call_.spec().what));
  if (received_ || size() == 0) return begin_again(result.error().text);
  // What an earlier process left was wrong: nothing to blame the registry for.
  return restart_sink();
}

Result<> BlobFetch::begin_again(const std::string& why) {
  Error error(Code::corrupt, call_.spec().what + " from " + session_.base().authority() + " is corrupt: " + why);
  if (began_again_) return fail(std::move(error));
  began_again_ = true;
  TRY(restart_sink());
  report();
  TRY(call_.retry(error));
  return {};
}

namespace {

using Fetches = std::vector<std::unique_ptr<BlobFetch>>;
using Clock = Transport::Clock;

// Starts what may start; when the next one may, if all that is missing is time.
Result<Clock::time_point> start_ready(const Fetches& fetches, unsigned connections) {
  auto running = static_cast<unsigned>(
      std::count_if(fetches.begin(), fetches.end(), [](const auto& fetch) { return fetch->is_running(); }));
  auto next = Clock::now() + std::chrono::hours(1);
  for (const auto& fetch : fetches) {
    if (fetch->is_done() || fetch->is_running()) continue;
    if (running >= connections) break;
    if (fetch->ready_at() > Clock::now()) {
      next = std::min(next, fetch->ready_at());
      continue;
    }
    TRY(fetch->start());
    if (fetch->is_running())
      ++running;
    else
      next = Clock::now();
  }
  return next;
}

}  // namespace

Result<> fetch_all(Session& session, const std::string& repository, std::span<BlobRequest> blobs) {
  Fetches fetches;
  for (auto& blob : blobs) fetches.push_back(std::make_unique<BlobFetch>(session, repository, blob));
  auto connections = std::max(1U, session.options().connections);
  for (;;) {
    TRY_ASSIGN(auto until, start_ready(fetches, connections));
    bool all_done = std::all_of(fetches.begin(), fetches.end(), [](const auto& fetch) { return fetch->is_done(); });
    if (all_done) return {};
    TRY(session.transport().wait(until));
    while (auto* exchange = session.transport().next_finished()) {
      auto owner = std::find_if(fetches.begin(), fetches.end(), [&](const auto& f) { return f->owns(exchange); });
      if (owner != fetches.end()) TRY((*owner)->finished());
    }
  }
}

}  // namespace udk::registry
