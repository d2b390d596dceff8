# Language level, warnings and link mode, as one interface target that every target of the project uses.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(UDOCKER_STATIC "Link one fully static executable" OFF)
option(UDOCKER_WERROR "Treat warnings as errors" OFF)
option(UDOCKER_TESTS "Build the unit tests" ON)
option(UDOCKER_FUZZ "Build the fuzz targets (needs clang)" OFF)
set(UDOCKER_SANITIZE "" CACHE STRING "Value of -fsanitize= for every target, empty for none")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(udk_settings INTERFACE)
target_include_directories(udk_settings INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(udk_settings INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_compile_options(udk_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wnull-dereference
  -ffunction-sections -fdata-sections)
if(UDOCKER_WERROR)
  target_compile_options(udk_settings INTERFACE -Werror)
endif()
if(UDOCKER_SANITIZE)
  # Undefined behaviour ends the program, as a bad address does: otherwise no test would fail by it.
  target_compile_options(udk_settings INTERFACE
    -fsanitize=${UDOCKER_SANITIZE} -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(udk_settings INTERFACE -fsanitize=${UDOCKER_SANITIZE})
endif()
target_link_options(udk_settings INTERFACE -Wl,--gc-sections)
if(UDOCKER_STATIC)
  target_link_options(udk_settings INTERFACE -static)
endif()
find_package(Threads REQUIRED)
