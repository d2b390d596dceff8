#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace udk {

// What kind of failure it is; cli derives the exit code, callers the reaction (retry, fall back, stop).
enum class Code {
  not_found,     // the named object does not exist
  exists,        // the name is taken
  denied,        // the operating system or the registry refuses
  unauthorized,  // credentials are missing or wrong
  network,       // transport failed; trying again may help
  corrupt,       // data does not match its digest, size or format
  excessive,     // more than a limit of the configuration allows
  unsupported,   // valid, but not something this program or host can do
  busy,          // somebody else holds it
  usage,         // the user's words are wrong
  no_space,      // disk or quota full
  io,            // any other error of the operating system
  internal,      // a bug
};

// A failure: its kind, the errno behind it (0 if none) and one line of text that names the object and the cause.
struct Error {
  Code code = Code::internal;
  int sys_errno = 0;
  std::string text;

  Error() = default;
  Error(Code c, std::string t) : code(c), text(std::move(t)) {}
  Error(Code c, int e, std::string t) : code(c), sys_errno(e), text(std::move(t)) {}

  // The same failure told from further away: "pulling debian:12: " + text.
  [[nodiscard]] Error context(std::string_view what) && {
    text = std::string(what) + ": " + text;
    return std::move(*this);
  }
  [[nodiscard]] Error context(std::string_view what) const& { return Error(*this).context(what); }
};

template <class T = void>
using Result = tl::expected<T, Error>;
using Unexpected = tl::unexpected<Error>;

inline Unexpected fail(Code code, std::string text) { return Unexpected(Error(code, std::move(text))); }
inline Unexpected fail(Error e) { return Unexpected(std::move(e)); }

// The failure of a system call: "WHAT: <text of err>", with the Code that fits the errno (errno(3)).
Error sys_error(int err, std::string_view what);
inline Unexpected fail_errno(int err, std::string_view what) { return Unexpected(sys_error(err, what)); }

}  // namespace udk

#define UDK_CONCAT2(a, b) a##b
#define UDK_CONCAT(a, b) UDK_CONCAT2(a, b)

// TRY(expr): leave the function with the error of a Result, drop its value.
#define TRY(expr)                                                                                       \
  do {                                                                                                  \
    if (auto try_result = (expr); !try_result) return ::udk::Unexpected(std::move(try_result).error()); \
  } while (false)

// TRY_ASSIGN(declaration, expr): leave with the error, or initialise the declaration with the value.
#define TRY_ASSIGN(decl, expr) TRY_ASSIGN_IMPL(UDK_CONCAT(try_value_, __COUNTER__), decl, expr)
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration and a name cannot be put in parentheses
#define TRY_ASSIGN_IMPL(tmp, decl, expr)                      \
  auto tmp = (expr);                                          \
  if (!tmp) return ::udk::Unexpected(std::move(tmp).error()); \
  decl = std::move(*tmp)
// NOLINTEND(bugprone-macro-parentheses)
