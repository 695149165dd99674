# Named targets that take instrumented builds, made by Clang in folders of their own below this one:
#
#     fuzz, fuzz_long   each libFuzzer target for ten seconds, or ten minutes, under ASan and UBSan
#     tsan              jobs of all kinds at once, under the thread sanitizer
#
# Clang has libFuzzer, and an OpenMP runtime beside which the thread sanitizer gives no false alarms.

find_program(GROUPLINK_CLANG NAMES clang++-14 clang++ clang++-19 clang++-18 clang++-17 clang++-16 clang++-15
             DOC "Clang, for fuzzing and the thread sanitizer")
if(NOT GROUPLINK_CLANG)
  message(STATUS "No clang++: the targets fuzz and tsan are left out; bash cmake/bootstrap.sh clang installs it")
  return()
endif()

# instrumented(FOLDER SANITIZERS TARGETS ARGUMENTS...): the commands that configure and build them there.
function(instrumented commands folder sanitizers targets)
  set(path ${PROJECT_BINARY_DIR}/${folder})
  set(configure ${CMAKE_COMMAND} -S ${PROJECT_SOURCE_DIR} -B ${path} -G ${CMAKE_GENERATOR} --log-level=NOTICE
    -DCMAKE_CXX_COMPILER=${GROUPLINK_CLANG} -DCMAKE_BUILD_TYPE=RelWithDebInfo
    "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -gline-tables-only" -DGROUPLINK_SANITIZE=${sanitizers}
    -DGROUPLINK_PYTHON=${GROUPLINK_PYTHON} ${ARGN})  # and no -Werror: warnings are GCC's here
  if(CMAKE_CXX_COMPILER_LAUNCHER)
    list(APPEND configure -DCMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER})
  endif()
  set(build ${CMAKE_COMMAND} --build ${path} --target ${targets})
  if(DEFINED ENV{JOBS})
    list(APPEND build --parallel $ENV{JOBS})
  endif()
  set(${commands} COMMAND ${configure} COMMAND ${build} PARENT_SCOPE)
endfunction()

foreach(name fuzz fuzz_long)
  instrumented(commands fuzzing address,undefined,fuzzer-no-link ${name})
  add_custom_target(${name} ${commands} USES_TERMINAL VERBATIM)
endforeach()
# Files are read and written by the thread that asks, so Arrow is left out: it takes half of the time to build.
instrumented(commands tsan thread "grouplink_races;grouplink_planted_race"
             -DGROUPLINK_PARQUET=OFF -DGROUPLINK_COMMAND=OFF)
add_custom_target(tsan ${commands}
  COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${PROJECT_BINARY_DIR}/tsan --output-on-failure --no-tests=error -R "^stress/"
  USES_TERMINAL VERBATIM)
