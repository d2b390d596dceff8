# udk_module(name SOURCES a.cpp ... [PUBLIC libs] [PRIVATE libs]): the library of one folder, alias udk::name.
function(udk_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(udk_${name} STATIC ${arg_SOURCES})
  add_library(udk::${name} ALIAS udk_${name})
  target_link_libraries(udk_${name} PUBLIC udk_settings ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()

# udk_unit_test(folder x_test.cpp ...): one gtest executable per folder, each case known to ctest.
function(udk_unit_test folder)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${folder}_test ${arg_SOURCES})
  target_include_directories(${folder}_test PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${folder}_test PRIVATE udk_settings udk::${folder} ${arg_LIBS} GTest::gtest_main GTest::gmock)
  gtest_discover_tests(${folder}_test TEST_PREFIX ${folder}. DISCOVERY_MODE PRE_TEST PROPERTIES LABELS unit)
endfunction()
