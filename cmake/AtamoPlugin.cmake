# atamo_plugin(NAME [SOURCES file...] [LIBRARIES target...])
#
# A plugin: a shared object that sees the SDK headers and nothing of hub/. It is built into one
# folder, build/.../lib/atamo/plugins, so that the program finds it before and after installation.
set(ATAMO_PLUGIN_BUILD_DIR "${CMAKE_BINARY_DIR}/lib/atamo/plugins")

function(atamo_plugin name)
  cmake_parse_arguments(PLUGIN "" "" "SOURCES;LIBRARIES" ${ARGN})
  if(NOT PLUGIN_SOURCES)
    file(GLOB PLUGIN_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.c")
  endif()
  add_library(plugin_${name} MODULE ${PLUGIN_SOURCES})
  target_link_libraries(plugin_${name} PRIVATE atamo_sdk Threads::Threads ${PLUGIN_LIBRARIES})
  set_target_properties(plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME "${name}"
    LIBRARY_OUTPUT_DIRECTORY "${ATAMO_PLUGIN_BUILD_DIR}")
  install(TARGETS plugin_${name} LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/atamo/plugins"
          COMPONENT runtime)
  set_property(GLOBAL APPEND PROPERTY ATAMO_PLUGINS plugin_${name})
endfunction()
