#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "registry/http.hpp"
#include "registry/session.hpp"

namespace udk::registry {

// What is asked for. Either a path at the registry or a whole URL (a token server).
struct CallSpec {
  std::string what;  // for messages: "manifest of busybox:latest"
  std::string path;
  std::optional<Url> url;
  std::vector<std::string> headers;  // sent to every server on the way: nothing secret
  std::string authorization;         // only for the server of the first URL; without it `scope` decides
  std::string scope;                 // "repository:NAME:pull"; "": no authentication with the registry
  std::optional<std::string> form;   // POST; never follows a redirect to another server
};

// One logical request through its redirects, 401 answers and retries. The owner runs the exchanges: sends what next()
// says, shows the outcome to judge(), and does as it says.
class Call {
 public:
  Call(Session& session, CallSpec spec);

  // The request to send now.
  Result<Request> next();
  enum class Step {
    answered,  // the response is the answer, of whatever status
    again      // next(), not before ready_at()
  };
  // Errors are final and name the object, the cause and the remedy.
  Result<Step> judge(const Exchange& exchange);
  [[nodiscard]] Transport::Clock::time_point ready_at() const { return ready_at_; }
  // Useful bytes have arrived: earlier failures do not count any more.
  void progress() { failures_ = 0; }
  // From the first URL again, after back-off; fails with `why` when too many tries have failed.
  Result<Step> retry(const Error& why, std::optional<std::chrono::seconds> wanted_delay = {});
  [[nodiscard]] const CallSpec& spec() const { return spec_; }
  // The server that gave the last answer.
  [[nodiscard]] std::string server() const;

 private:
  Result<Step> judge_answer(const Response& response);
  Result<Step> judge_failure(const Exchange& exchange);
  Result<Step> follow(const Response& response);
  Result<Step> authorize(const Response& response);
  [[nodiscard]] Unexpected denied(const Error& why) const;
  [[nodiscard]] Result<Url> first_url() const;

  Session& session_;
  CallSpec spec_;
  std::optional<Url> url_;  // to be asked now; none: the first one
  std::string first_origin_, authorization_used_;
  unsigned redirects_ = 0, challenges_ = 0, failures_ = 0;
  Transport::Clock::time_point ready_at_{};
};

// Runs a call whose answer is small: the response, of whatever status that is not worth another try.
Result<Response> run_call(Session& session, CallSpec spec, std::size_t limit);

}  // namespace udk::registry
