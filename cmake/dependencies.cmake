# Finds what the project links. Every dependency is a target that this file leaves behind:
# OpenMP::OpenMP_CXX, BLAS::BLAS, grouplink_faiss, fmt::fmt, SQLite::SQLite3, nlohmann_json::nlohmann_json, CLI11::CLI11,
# doctest::doctest and, with GROUPLINK_PARQUET, grouplink_parquet.
# What a static library asks of its users stands in grouplink-config.cmake.in too.

find_package(Threads REQUIRED)
# FAISS's own package config refers to OpenMP without looking for it.
find_package(OpenMP REQUIRED COMPONENTS CXX)

# OpenBLAS before any other; one that the user names (BLA_VENDOR, BLAS_LIBRARIES) before OpenBLAS.
# All that is called is its Fortran interface, which every BLAS has.
set(grouplink_blas_vendor "${BLA_VENDOR}")
if(NOT BLA_VENDOR AND NOT BLAS_LIBRARIES)
  set(BLA_VENDOR OpenBLAS)
  find_package(BLAS QUIET)
  if(BLAS_FOUND)
    set(grouplink_blas_vendor OpenBLAS)
  else()
    unset(BLA_VENDOR)
  endif()
endif()
find_package(BLAS REQUIRED)
find_package(LAPACK REQUIRED)
if(grouplink_blas_vendor STREQUAL "OpenBLAS")
  unset(BLA_VENDOR)
endif()

find_package(faiss REQUIRED)
find_package(fmt REQUIRED)
if(GROUPLINK_FILES)
  find_package(SQLite3 REQUIRED)
endif()
find_package(nlohmann_json REQUIRED)

# FAISS packages hold one library for each instruction set: `faiss`, `faiss_avx2`, `faiss_avx512`. The
# wider ones execute those instructions unasked, so a binary made with them dies on an older CPU.
# `auto` is therefore `faiss`, which runs everywhere and, in packages that dispatch at run time, is
# the fast one as well; our own kernels dispatch in any case. Who builds for one kind of machine names
# the library here.
set(GROUPLINK_FAISS_TARGET auto CACHE STRING
    "FAISS library to link: auto, faiss, or one that needs its CPU at run time (faiss_avx2, faiss_avx512)")
set_property(CACHE GROUPLINK_FAISS_TARGET PROPERTY STRINGS auto faiss faiss_avx2 faiss_avx512)
set(grouplink_faiss_target ${GROUPLINK_FAISS_TARGET})
if(grouplink_faiss_target STREQUAL "auto")
  set(grouplink_faiss_target faiss)
endif()
if(NOT TARGET ${grouplink_faiss_target})
  message(FATAL_ERROR "GROUPLINK_FAISS_TARGET: no target \"${grouplink_faiss_target}\" in the FAISS package at "
                      "${faiss_DIR}; leave it at auto, or name one that the package has")
endif()
include(grouplink-faiss)
grouplink_add_faiss(${grouplink_faiss_target})

if(GROUPLINK_PARQUET)
  include(arrow)
endif()
if(GROUPLINK_COMMAND)
  find_package(CLI11 REQUIRED)
endif()
if(GROUPLINK_TESTS)
  find_package(doctest REQUIRED)
endif()
