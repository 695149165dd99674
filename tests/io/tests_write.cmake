list(APPEND unit_tests
  io/atomic_file_test.cpp
  io/edges_text_test.cpp
  io/npz_test.cpp
  io/part_file_test.cpp
  io/read_links_test.cpp
  io/report_json_test.cpp
  io/write_links_test.cpp)
if(GROUPLINK_PARQUET)
  list(APPEND unit_tests io/columnar_write_test.cpp)
  set_property(SOURCE io/read_links_test.cpp io/write_links_test.cpp APPEND PROPERTY COMPILE_DEFINITIONS GROUPLINK_PARQUET=1)
endif()
