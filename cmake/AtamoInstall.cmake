# What `cmake --install` puts where, and the package made of it (`cpack` in a build folder).
#
# All that is installed may be moved: pkg-config files and the CMake package find their prefix from
# where they lie. Only the program's plugin folder is fixed when it is compiled (ATAMO_PLUGIN_DIR).
include(CMakePackageConfigHelpers)

set(ATAMO_PKGCONFIG_DIR "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
set(ATAMO_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/atamo")
set(ATAMO_SHARE_DIR "${CMAKE_INSTALL_DATADIR}/atamo")

# The library for embedding programs, and the fake host for the tests of plugins.
foreach(library atamo_lib atamo_test)
  if(TARGET ${library})
    install(TARGETS ${library}
            LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime NAMELINK_COMPONENT sdk)
  endif()
endforeach()
install(DIRECTORY sdk/include/atamo DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT sdk
        FILES_MATCHING PATTERN "*.h")

foreach(program atamo atamo_plugin_check)
  if(TARGET ${program})
    set_target_properties(${program} PROPERTIES
      INSTALL_RPATH "\$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
    install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT runtime)
  endif()
endforeach()

install(DIRECTORY configs DESTINATION "${ATAMO_SHARE_DIR}" COMPONENT runtime
        PATTERN "__pycache__" EXCLUDE)
install(DIRECTORY sdk/template/ DESTINATION "${ATAMO_SHARE_DIR}/template" COMPONENT sdk)
file(GLOB manuals CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/docs/man/*.[1-8]")
foreach(page ${manuals})
  string(REGEX MATCH "[1-8]$" section "${page}")
  install(FILES "${page}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}" COMPONENT runtime)
endforeach()
configure_file("${CMAKE_SOURCE_DIR}/packaging/atamo@.service"
               "${CMAKE_BINARY_DIR}/atamo@.service" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/atamo@.service" DESTINATION lib/systemd/system
        COMPONENT runtime)
install(FILES LICENSE README.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT runtime)

# pkg-config: the way up from the folder of the .pc files to the prefix.
file(RELATIVE_PATH ATAMO_PC_UP "/${ATAMO_PKGCONFIG_DIR}" "/")
string(REGEX REPLACE "/$" "" ATAMO_PC_UP "${ATAMO_PC_UP}")
foreach(name atamo atamo-sdk)
  configure_file("${CMAKE_SOURCE_DIR}/cmake/${name}.pc.in" "${CMAKE_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${CMAKE_BINARY_DIR}/${name}.pc" DESTINATION "${ATAMO_PKGCONFIG_DIR}"
          COMPONENT sdk)
endforeach()

# find_package(atamo): atamo::sdk for plugins, atamo::test for their tests, atamo::atamo for programs
# that embed a hub.
set(ATAMO_INSTALLED_LIBRARY
    "${CMAKE_INSTALL_LIBDIR}/${CMAKE_SHARED_LIBRARY_PREFIX}atamo${CMAKE_SHARED_LIBRARY_SUFFIX}")
set(ATAMO_INSTALLED_TEST_LIBRARY
    "${CMAKE_INSTALL_LIBDIR}/${CMAKE_SHARED_LIBRARY_PREFIX}atamo-test${CMAKE_SHARED_LIBRARY_SUFFIX}")
set(ATAMO_INSTALLED_PLUGINS "${CMAKE_INSTALL_LIBDIR}/atamo/plugins")
configure_package_config_file("${CMAKE_SOURCE_DIR}/cmake/atamo-config.cmake.in"
  "${CMAKE_BINARY_DIR}/atamo-config.cmake" INSTALL_DESTINATION "${ATAMO_PACKAGE_DIR}"
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR ATAMO_INSTALLED_LIBRARY ATAMO_INSTALLED_TEST_LIBRARY
    ATAMO_INSTALLED_PLUGINS)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/atamo-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/atamo-config.cmake"
              "${CMAKE_BINARY_DIR}/atamo-config-version.cmake"
        DESTINATION "${ATAMO_PACKAGE_DIR}" COMPONENT sdk)

# The package is always for /usr, whatever the build's own prefix is: programs look for plugins beside
# themselves, too.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME atamo)
set(CPACK_PACKAGE_VENDOR "Atamo")
set(CPACK_PACKAGE_CONTACT "Atamo developers <maintainers@atamo.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX "/usr")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "python3-cffi-backend") # for the Python package
include(CPack)
