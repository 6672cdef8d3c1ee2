# The library atamo_console: the web console in memory, see console.h.
#
# npm ci, then build.mjs (web/ with the vendor modules), then pack.cmake (gzip and a table in C). Each step
# runs when its inputs have changed and works in the build folder. With ATAMO_CONSOLE=OFF, or without npm,
# unbuilt/ takes the place of web/. It fails when npm ci fails: neither network nor cache has the packages.
option(ATAMO_CONSOLE "Build the web console (needs npm, and the network or npm's cache)" ON)
find_program(ATAMO_NPM npm)
find_program(ATAMO_NODE node)
find_program(ATAMO_GZIP gzip REQUIRED)
mark_as_advanced(ATAMO_NPM ATAMO_NODE ATAMO_GZIP)

set(console "${CMAKE_CURRENT_LIST_DIR}")
set(console_build "${CMAKE_CURRENT_BINARY_DIR}/console")
file(MAKE_DIRECTORY "${console_build}/npm")

if(ATAMO_CONSOLE AND ATAMO_NPM AND ATAMO_NODE)
  file(GLOB_RECURSE console_web CONFIGURE_DEPENDS "${console}/web/*")
  set(console_files "${console_build}/files")
  add_custom_command(
    OUTPUT "${console_build}/npm.stamp"
    COMMAND ${CMAKE_COMMAND} -E copy "${console}/package.json" "${console}/package-lock.json"
            "${console_build}/npm"
    COMMAND ${ATAMO_NPM} ci --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch "${console_build}/npm.stamp"
    DEPENDS "${console}/package.json" "${console}/package-lock.json"
    WORKING_DIRECTORY "${console_build}/npm"
    COMMENT "Console: npm ci (-DATAMO_CONSOLE=OFF does without)" VERBATIM)
  add_custom_command(
    OUTPUT "${console_build}/files.stamp"
    COMMAND ${ATAMO_NODE} "${console}/build.mjs" "${console_build}/npm/node_modules"
            "${console_files}"
    COMMAND ${CMAKE_COMMAND} -E touch "${console_build}/files.stamp"
    DEPENDS "${console_build}/npm.stamp" "${console}/build.mjs" ${console_web}
    COMMENT "Console: files" VERBATIM)
  set(console_after "${console_build}/files.stamp")
else()
  message(STATUS "The web console is not built: ATAMO_CONSOLE is OFF, or there is no npm")
  set(console_files "${console}/unbuilt")
  set(console_after "${console}/unbuilt/index.html")
endif()

add_custom_command(
  OUTPUT "${console_build}/console_files.c"
  COMMAND ${CMAKE_COMMAND} "-DFROM=${console_files}" "-DTO=${console_build}" "-DGZIP=${ATAMO_GZIP}"
          -P "${console}/pack.cmake"
  DEPENDS "${console_after}" "${console}/pack.cmake"
  COMMENT "Console: gzip" VERBATIM)
add_library(atamo_console STATIC "${console}/console.c" "${console_build}/console_files.c")
target_include_directories(atamo_console PRIVATE "${console}")
