# Finds what the project links. Every dependency is a target that this file leaves behind:
# OpenMP::OpenMP_CXX, BLAS::BLAS, grouplink_faiss, fmt::fmt, nlohmann_json::nlohmann_json, CLI11::CLI11,
# doctest::doctest and, with GROUPLINK_PARQUET, grouplink_parquet.

find_package(Threads REQUIRED)
# FAISS's own package config refers to OpenMP without looking for it.
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(BLAS REQUIRED)
find_package(faiss REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)

add_library(grouplink_faiss INTERFACE)
foreach(flavour faiss_avx512 faiss_avx2 faiss)
  # Newer packages hold one library an instruction set; the widest is chosen by the user's package,
  # not by this machine, unless it dispatches by itself.
  if(TARGET ${flavour})
    list(APPEND faiss_found ${flavour})
  endif()
endforeach()
target_link_libraries(grouplink_faiss INTERFACE faiss OpenMP::OpenMP_CXX BLAS::BLAS)

if(GROUPLINK_PARQUET)
  include(arrow)
endif()
if(GROUPLINK_COMMAND)
  find_package(CLI11 REQUIRED)
endif()
if(GROUPLINK_TESTS)
  find_package(doctest REQUIRED)
endif()
