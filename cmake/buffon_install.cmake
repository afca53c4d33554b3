# Installation: libraries, headers, the exported targets with a version file, pkg-config, the command line.
include(CMakePackageConfigHelpers)

set(buffon_targets buffon_core buffon_backend buffon_http buffon_model buffon_estimators buffon_samplers buffon_all)
if(TARGET buffon_io)
  list(APPEND buffon_targets buffon_io buffon_netcdf buffon_hdf5 buffon_report buffon_mpi)
endif()
install(TARGETS ${buffon_targets} EXPORT buffonTargets FILE_SET HEADERS
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
if(BUFFON_COMPONENTS)
  install(TARGETS ${BUFFON_COMPONENTS} LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endif()
install(EXPORT buffonTargets NAMESPACE buffon:: DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/buffon")

configure_package_config_file(cmake/buffonConfig.cmake.in "${PROJECT_BINARY_DIR}/buffonConfig.cmake"
  INSTALL_DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/buffon")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/buffonConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/buffonConfig.cmake" "${PROJECT_BINARY_DIR}/buffonConfigVersion.cmake"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/buffon")

# The file finds its prefix from its own place, so that an installation may be moved.
file(RELATIVE_PATH buffon_pc_to_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
set(buffon_pc_static_libs "")
if(NOT BUILD_SHARED_LIBS)
  set(buffon_pc_static_libs " -ltbb -lmuparser -lfmt -ldl -pthread")
  if(BUFFON_HTTP AND HTTPLIB_FOUND)
    string(APPEND buffon_pc_static_libs " -lcpp-httplib")
  endif()
endif()
configure_file(cmake/buffon.pc.in "${PROJECT_BINARY_DIR}/buffon.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/buffon.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

foreach(program IN ITEMS buffon generate_torchscript)
  if(TARGET ${program})
    install(TARGETS ${program} DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endforeach()
