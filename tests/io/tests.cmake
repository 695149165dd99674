list(APPEND unit_tests
  io/delimited_test.cpp
  io/inspect_test.cpp
  io/journal_record_test.cpp
  io/journal_test.cpp
  io/json_lines_test.cpp
  io/mapped_file_test.cpp
  io/npy_test.cpp
  io/raw_vectors_test.cpp
  io/sqlite_test.cpp
  io/table_test.cpp
  io/texts_test.cpp
  io/utf8_test.cpp)
if(GROUPLINK_PARQUET)
  list(APPEND unit_tests io/columnar_read_test.cpp)
endif()
