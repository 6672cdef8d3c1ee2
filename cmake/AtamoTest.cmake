# atamo_unit_test(FILE): a cmocka program from one file of tests/unit/FLOOR/, linked to every floor.
# Test names are FLOOR/NAME; run some with `ctest -R rules/`.
function(atamo_unit_test file)
  get_filename_component(stem "${file}" NAME_WE)
  get_filename_component(folder "${file}" DIRECTORY)
  get_filename_component(floor "${folder}" NAME)
  string(REGEX REPLACE "^test_" "" short "${stem}")
  set(target "unit_${floor}_${short}")
  add_executable(${target} "${file}")
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/tests" "${folder}")
  target_link_libraries(${target} PRIVATE floors PkgConfig::CMOCKA Threads::Threads)
  target_compile_definitions(${target} PRIVATE
    ATAMO_SOURCE_DIR="${CMAKE_SOURCE_DIR}" ATAMO_BUILD_DIR="${CMAKE_BINARY_DIR}")
  add_test(NAME ${floor}/${short} COMMAND ${target})
  set(labels unit)
  if(floor MATCHES "^(api|flow|plugins)$")
    list(APPEND labels threads) # also run under the thread sanitizer
  endif()
  set_tests_properties(${floor}/${short} PROPERTIES LABELS "${labels}" TIMEOUT 120)
endfunction()
