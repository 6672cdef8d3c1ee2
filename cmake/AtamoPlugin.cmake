# atamo_plugin(NAME [SOURCES file...] [LIBRARIES target...] [CHECK option...])
#
# A plugin: a shared object that sees the SDK headers and nothing of hub/. It is built into one
# folder, build/.../lib/atamo/plugins, so that the program finds it before and after installation.
# Each one's conformance is a test; CHECK is what atamo-plugin-check must be told, such as its options.
set(ATAMO_PLUGIN_BUILD_DIR "${CMAKE_BINARY_DIR}/lib/atamo/plugins")

function(atamo_plugin name)
  cmake_parse_arguments(PLUGIN "" "" "SOURCES;LIBRARIES;CHECK" ${ARGN})
  if(NOT PLUGIN_SOURCES)
    file(GLOB PLUGIN_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.c")
  endif()
  add_library(plugin_${name} MODULE ${PLUGIN_SOURCES})
  target_link_libraries(plugin_${name} PRIVATE atamo_sdk Threads::Threads ${PLUGIN_LIBRARIES})
  set_target_properties(plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME "${name}"
    LIBRARY_OUTPUT_DIRECTORY "${ATAMO_PLUGIN_BUILD_DIR}")
  install(TARGETS plugin_${name} LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/atamo/plugins"
          COMPONENT runtime)
  if(TARGET atamo_plugin_check AND BUILD_TESTING)
    add_test(NAME plugin-check/${name}
             COMMAND atamo_plugin_check $<TARGET_FILE:plugin_${name}> ${PLUGIN_CHECK}
             WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}")
    set_tests_properties(plugin-check/${name} PROPERTIES LABELS unit TIMEOUT 120)
  endif()
  set_property(GLOBAL APPEND PROPERTY ATAMO_PLUGINS plugin_${name})
endfunction()
