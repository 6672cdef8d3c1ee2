# atamo_floor(NAME [LOWER floor...] [LIBRARIES target...])
#
# A floor of the house: the static library of one folder below hub/. Its headers are included as
# "NAME/header.h", and only floors that name it (or a floor above it) as LOWER can see them, because
# the include path of each floor holds that one folder and nothing else. An include upwards does not
# compile.
function(atamo_floor name)
  cmake_parse_arguments(FLOOR "" "" "LOWER;LIBRARIES" ${ARGN})
  set(window "${CMAKE_BINARY_DIR}/floors/${name}")
  file(MAKE_DIRECTORY "${window}")
  file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}/${name}" "${window}/${name}" SYMBOLIC)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.c"
       "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc")
  list(TRANSFORM FLOOR_LOWER PREPEND floor_)
  if(sources)
    add_library(floor_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(floor_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(floor_${name} ${scope} "${window}")
  target_link_libraries(floor_${name} ${scope} atamo_sdk ${FLOOR_LOWER} ${FLOOR_LIBRARIES})
endfunction()
