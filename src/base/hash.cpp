#include "base/hash.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdlib>

#include "base/text.hpp"

namespace udk {

struct Hasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Hasher::Hasher(HashKind kind) : state_(std::make_unique<State>()) {
  // A digest that silently fails would accept any data: stop instead.
  if (EVP_DigestInit_ex(state_->context, kind == HashKind::sha256 ? EVP_sha256() : EVP_sha512(), nullptr) != 1)
    std::abort();
}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::span<const std::byte> data) {
  if (EVP_DigestUpdate(state_->context, data.data(), data.size()) != 1) std::abort();
}

void Hasher::update(std::string_view data) { update(std::as_bytes(std::span(data.data(), data.size()))); }

std::string Hasher::hex() {
  std::array<char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(digest.data()), &size) != 1) std::abort();
  return to_hex({digest.data(), size});
}

std::string sha256_hex(std::string_view data) {
  Hasher hasher;
  hasher.update(data);
  return hasher.hex();
}

}  // namespace udk
