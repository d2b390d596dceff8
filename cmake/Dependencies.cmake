# Where each outside library comes from. The static archives that Debian lacks are built by tools/deps.
find_package(OpenSSL REQUIRED)
add_library(udk_openssl INTERFACE)
add_library(udk::openssl ALIAS udk_openssl)
set(OPENSSL_STATIC_CRYPTO /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/libcrypto.a)
target_link_libraries(udk_openssl INTERFACE /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/libssl.a ${OPENSSL_STATIC_CRYPTO} Threads::Threads)
