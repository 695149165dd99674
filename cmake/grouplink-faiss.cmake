# grouplink_add_faiss(library): the target grouplink_faiss, which is that imported FAISS library on the
# BLAS found here. For the build and, installed, for the users of a static library.
function(grouplink_add_faiss library)
  # Debian's FAISS names the system's default libblas.so and liblapack.so. Beside the OpenBLAS that we call
  # they would be a second BLAS in the process, with threads that our settings do not reach.
  get_target_property(links ${library} INTERFACE_LINK_LIBRARIES)
  if(links)
    list(FILTER links EXCLUDE REGEX "/lib(blas|lapack)\\.(so|a|dylib)$")
  else()
    set(links "")
  endif()
  set_target_properties(${library} PROPERTIES INTERFACE_LINK_LIBRARIES "${links}")

  add_library(grouplink_faiss INTERFACE IMPORTED)
  set_target_properties(grouplink_faiss PROPERTIES
    INTERFACE_LINK_LIBRARIES "${library};LAPACK::LAPACK;BLAS::BLAS;OpenMP::OpenMP_CXX")
endfunction()
