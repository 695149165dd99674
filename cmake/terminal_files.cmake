# The shells' completions and the manual page, printed by the command as it was built, and installed where
# shells and man look.
set(files_of_completions
  "bash|${CMAKE_INSTALL_DATADIR}/bash-completion/completions|grouplink"
  "zsh|${CMAKE_INSTALL_DATADIR}/zsh/site-functions|_grouplink"
  "fish|${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d|grouplink.fish")
set(terminal_folder "${CMAKE_CURRENT_BINARY_DIR}/share")
set(terminal_files "")

# print_to FOLDER NAME ARGUMENTS...: what the command prints with the arguments, as a file to be installed.
function(print_to folder name)
  set(file "${terminal_folder}/${name}")
  # Leaks are not looked for: some containers forbid what that takes.
  add_custom_command(OUTPUT "${file}"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${terminal_folder}"
    COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0 $<TARGET_FILE:grouplink_command> ${ARGN} > "${file}"
    DEPENDS grouplink_command VERBATIM)
  install(FILES "${file}" DESTINATION "${folder}")
  set(terminal_files ${terminal_files} "${file}" PARENT_SCOPE)
endfunction()

foreach(entry IN LISTS files_of_completions)
  string(REPLACE "|" ";" entry "${entry}")
  list(GET entry 0 shell)
  list(GET entry 1 folder)
  list(GET entry 2 name)
  print_to("${folder}" "${name}" completions ${shell})
endforeach()
print_to("${CMAKE_INSTALL_MANDIR}/man1" grouplink.1 man)
add_custom_target(grouplink_terminal_files ALL DEPENDS ${terminal_files})
