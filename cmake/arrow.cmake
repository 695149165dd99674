# Arrow C++ with Parquet, as the target grouplink_parquet: an installed package if there is one, else
# the headers and libraries that every pyarrow wheel holds.

set(GROUPLINK_PYTHON "" CACHE FILEPATH "Python that has pyarrow; empty: the python3 found on the PATH")

add_library(grouplink_parquet INTERFACE)

find_package(Arrow CONFIG QUIET)
if(Arrow_FOUND)
  find_package(Parquet CONFIG QUIET HINTS "${Arrow_DIR}")
endif()
if(Arrow_FOUND AND Parquet_FOUND)
  message(STATUS "Arrow ${Arrow_VERSION}: ${Arrow_DIR}")
  foreach(library Arrow::arrow Parquet::parquet)
    if(TARGET ${library}_shared)
      target_link_libraries(grouplink_parquet INTERFACE ${library}_shared)
    else()
      target_link_libraries(grouplink_parquet INTERFACE ${library}_static)
    endif()
  endforeach()
  return()
endif()

set(python "${GROUPLINK_PYTHON}")
if(NOT python)
  find_program(grouplink_python3 python3)
  set(python "${grouplink_python3}")
endif()
set(arrow_help "install Arrow C++ with Parquet, or `pip install pyarrow` and pass -DGROUPLINK_PYTHON=<its python>, or build without Parquet: -DGROUPLINK_PARQUET=OFF")
if(NOT python)
  message(FATAL_ERROR "Arrow C++ was not found, nor a Python to ask for pyarrow; ${arrow_help}")
endif()
execute_process(
  COMMAND "${python}" -c "import pyarrow; print(pyarrow.__version__, pyarrow.get_include(), pyarrow.get_library_dirs()[0], sep=';')"
  OUTPUT_VARIABLE pyarrow OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "Arrow C++ was not found, and ${python} has no pyarrow; ${arrow_help}")
endif()
list(GET pyarrow 0 pyarrow_version)
list(GET pyarrow 1 pyarrow_include)
list(GET pyarrow 2 pyarrow_libraries)
# The wheel has libarrow.so.2600 and the like, without the links that -larrow would need.
file(GLOB arrow_library "${pyarrow_libraries}/libarrow.so.*")
file(GLOB parquet_library "${pyarrow_libraries}/libparquet.so.*")
list(FILTER arrow_library EXCLUDE REGEX "so\\.[0-9]+\\.[0-9]+")
list(FILTER parquet_library EXCLUDE REGEX "so\\.[0-9]+\\.[0-9]+")
if(NOT arrow_library OR NOT parquet_library OR NOT EXISTS "${pyarrow_include}/parquet/arrow/reader.h")
  message(FATAL_ERROR "pyarrow ${pyarrow_version} at ${pyarrow_libraries} holds no Arrow C++ with Parquet; ${arrow_help}")
endif()
message(STATUS "Arrow of pyarrow ${pyarrow_version}: ${pyarrow_libraries}")
target_include_directories(grouplink_parquet SYSTEM INTERFACE "${pyarrow_include}")
target_link_libraries(grouplink_parquet INTERFACE "${parquet_library}" "${arrow_library}")
# What is built finds the wheel's libraries where they are, installed or not.
target_link_options(grouplink_parquet INTERFACE "LINKER:-rpath,${pyarrow_libraries}")
