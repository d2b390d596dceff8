#include <openssl/crypto.h>

#include <string>
#include <vector>

#include "cli/entry.hpp"

int main(int argc, char** argv) {
  // First of all: a host's openssl.cnf may name modules that a static program cannot load, which breaks even digests.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  return udk::cli::entry(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
