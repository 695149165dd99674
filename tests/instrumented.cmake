# Named targets that take instrumented builds, made by Clang in folders of their own below this one:
#
#     fuzz, fuzz_long   each libFuzzer target for ten seconds, or ten minutes, under ASan and UBSan
#     tsan              jobs of all kinds at once, under the thread sanitizer
#
# Clang has libFuzzer, and a thread sanitizer that says more than GCC's.

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
# GCC's OpenMP runtime, for which FAISS was built: Clang's gives false alarms here, and dies of many short-lived
# threads when FAISS calls it by GCC's entry points.
execute_process(COMMAND ${GROUPLINK_CLANG} -print-file-name=libgomp.so
                OUTPUT_VARIABLE gomp OUTPUT_STRIP_TRAILING_WHITESPACE)
instrumented(commands tsan thread "grouplink_races;grouplink_planted_race"
             -DGROUPLINK_PARQUET=OFF -DGROUPLINK_COMMAND=OFF
             -DOpenMP_CXX_FLAGS=-fopenmp=libomp -DOpenMP_CXX_LIB_NAMES=gomp -DOpenMP_gomp_LIBRARY=${gomp})
add_custom_target(tsan ${commands}
  COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${PROJECT_BINARY_DIR}/tsan --output-on-failure --no-tests=error -R "^stress/"
  USES_TERMINAL VERBATIM)
