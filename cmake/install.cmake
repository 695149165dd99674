# Installs the library, its headers, the command, the CMake package and grouplink.pc.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/grouplink")

install(TARGETS grouplink EXPORT grouplink-targets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY include/grouplink DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp")
install(EXPORT grouplink-targets NAMESPACE grouplink:: DESTINATION "${package_dir}")

# What the package config and grouplink.pc say of the dependencies is for the users of a static library; a
# shared one carries them.
set(arrow_libraries "")
if(GROUPLINK_PARQUET)
  get_target_property(arrow_libraries grouplink_parquet INTERFACE_LINK_LIBRARIES)
endif()
configure_package_config_file(cmake/grouplink-config.cmake.in grouplink-config.cmake
                              INSTALL_DESTINATION "${package_dir}"
                              NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Until 1.0 a minor version may change the interface.
write_basic_package_version_file(grouplink-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/grouplink-config.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/grouplink-config-version.cmake"
        DESTINATION "${package_dir}")

# The command finds the library beside itself wherever the prefix is moved to; a dependency that is
# in no system folder is found where it was at the build.
set(origin "$ORIGIN")
if(APPLE)
  set(origin "@loader_path")
endif()
file(RELATIVE_PATH bin_to_lib "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
set_target_properties(grouplink PROPERTIES INSTALL_RPATH "${origin}" INSTALL_RPATH_USE_LINK_PATH ON)
if(GROUPLINK_COMMAND)
  set_target_properties(grouplink_command PROPERTIES
    INSTALL_RPATH "${origin}/${bin_to_lib}" INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS grouplink_command RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  if(NOT CMAKE_CROSSCOMPILING)  # the command prints them
    include(terminal_files)
  endif()
endif()
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")

set(private_libraries "")
if(NOT BUILD_SHARED_LIBS)
  install(FILES cmake/grouplink-faiss.cmake DESTINATION "${package_dir}")
  set(libraries ${grouplink_faiss_target} fmt::fmt ${SQLite3_LIBRARIES} ${arrow_libraries}
                ${LAPACK_LIBRARIES} ${BLAS_LIBRARIES} ${OpenMP_CXX_LIBRARIES})
  list(REMOVE_DUPLICATES libraries)
  foreach(library IN LISTS libraries)
    if(TARGET ${library})
      set(library "$<TARGET_LINKER_FILE:${library}>")
    elseif(library IN_LIST arrow_libraries)  # of a wheel, where no loader looks
      get_filename_component(folder "${library}" DIRECTORY)
      string(APPEND private_libraries "-Wl,-rpath,${folder} ")
    endif()
    string(APPEND private_libraries "${library} ")
  endforeach()
  string(APPEND private_libraries "${CMAKE_THREAD_LIBS_INIT} -ldl -lm")
endif()
file(RELATIVE_PATH pc_to_prefix "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" pc_to_prefix "${pc_to_prefix}")
configure_file(cmake/grouplink.pc.in grouplink.pc.configured @ONLY)
file(GENERATE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/grouplink.pc"
     INPUT "${CMAKE_CURRENT_BINARY_DIR}/grouplink.pc.configured" TARGET grouplink)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/grouplink.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
