# Where each outside library comes from, as one target each. OpenSSL, c-ares and the compressors are Debian's static
# archives; libcurl, libarchive and ISA-L are built once, outside the checkout, by tools/deps. Every preset links the
# same archives, so what the tests run is what is shipped.
find_package(Threads REQUIRED)

execute_process(COMMAND ${CMAKE_SOURCE_DIR}/tools/deps OUTPUT_VARIABLE UDOCKER_DEPS_PREFIX
  OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE deps_result)
if(deps_result EQUAL 75)
  message(FATAL_ERROR "tools/deps: the package mirror failed (see above); nothing is wrong with the sources")
elseif(NOT deps_result EQUAL 0)
  message(FATAL_ERROR "tools/deps failed (see above)")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/deps)
message(STATUS "libcurl, libarchive, ISA-L: ${UDOCKER_DEPS_PREFIX}")

# udk_archive_target(name FILE archive [LIBS lib...]): static archive as udk::name. FILE is
# relative to the prefix of tools/deps, or a plain file name of Debian's multiarch folder.
function(udk_archive_target name)
  cmake_parse_arguments(arg "" "FILE" "LIBS" ${ARGN})
  if(EXISTS ${UDOCKER_DEPS_PREFIX}/lib/${arg_FILE})
    set(file ${UDOCKER_DEPS_PREFIX}/lib/${arg_FILE})
    set(include ${UDOCKER_DEPS_PREFIX}/include)
  else()
    set(file /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/${arg_FILE})
    set(include "")
  endif()
  if(NOT EXISTS ${file})
    message(FATAL_ERROR "${file} is missing; ./tools/setup installs what the build needs")
  endif()
  add_library(udk::${name} STATIC IMPORTED GLOBAL)
  set_target_properties(udk::${name} PROPERTIES IMPORTED_LOCATION ${file})
  target_link_libraries(udk::${name} INTERFACE ${arg_LIBS})
  target_include_directories(udk::${name} SYSTEM INTERFACE ${include})
endfunction()

# Headers alone are used of it; Debian's CMake package would link its shared library.
find_path(UDOCKER_TOMLPLUSPLUS toml++/toml.h)
if(NOT UDOCKER_TOMLPLUSPLUS)
  message(FATAL_ERROR "toml++/toml.h is missing; ./tools/setup installs what the build needs")
endif()

udk_archive_target(crypto FILE libcrypto.a LIBS Threads::Threads ${CMAKE_DL_LIBS})
udk_archive_target(openssl FILE libssl.a LIBS udk::crypto)
udk_archive_target(cares FILE libcares.a)
udk_archive_target(zlib FILE libz.a)
udk_archive_target(zstd FILE libzstd.a LIBS Threads::Threads)
udk_archive_target(lzma FILE liblzma.a LIBS Threads::Threads)
udk_archive_target(bz2 FILE libbz2.a)
udk_archive_target(curl FILE libcurl.a LIBS udk::cares udk::openssl)
udk_archive_target(libarchive FILE libarchive.a LIBS udk::zstd udk::lzma udk::bz2 udk::zlib)
udk_archive_target(isal FILE libisal.a)
