#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace udk::engine {

// A memory of host paths that were found to be no symbolic links, so that the directories on the way to a file are not
// looked at for each call. The guests' own changes of names pass through the tracer, which forgets what they concern;
// a change by others, be it a second run of the container, is seen after k_lifetime at the latest.
class PlainNames {
 public:
  static constexpr std::uint64_t k_lifetime = 50;  // milliseconds

  // Begins another look-up: what is too old is forgotten.
  void refresh();
  [[nodiscard]] bool knows(std::string_view host) const;
  void note(std::string_view host);
  // A name was made or taken away.
  void forget(std::string_view host);
  // A directory has got another name.
  void forget_all() { ++epoch_; }

 private:
  static constexpr std::size_t k_entries = 1024;  // a power of two
  static constexpr std::size_t k_text = 244;      // longer paths are not remembered

  struct Entry {
    std::uint64_t epoch = 0;
    std::uint32_t size = 0;
    std::array<char, k_text> text;
    [[nodiscard]] bool is(std::string_view host) const { return std::string_view(text.data(), size) == host; }
  };

  static std::size_t place_of(std::string_view host);

  std::array<Entry, k_entries> entries_{};
  std::uint64_t epoch_ = 1;
  std::uint64_t period_ = 0;
};

}  // namespace udk::engine
