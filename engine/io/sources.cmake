target_sources(grouplink_engine PRIVATE
  io/atomic_file.cpp
  io/delimited.cpp
  io/edges_text.cpp
  io/formats.cpp
  io/inspect.cpp
  io/inspect_npz.cpp
  io/inspect_text.cpp
  io/mapped_file.cpp
  io/message.cpp
  io/metadata.cpp
  io/npy.cpp
  io/npy_header.cpp
  io/npz.cpp
  io/read_links.cpp
  io/read_npz_links.cpp
  io/read_text_links.cpp
  io/report_json.cpp
  io/row_names.cpp
  io/table.cpp
  io/ids.cpp
  io/utf8.cpp
  io/values.cpp
  io/write_links.cpp
  io/zip_reader.cpp
  io/zip_writer.cpp)
if(GROUPLINK_PARQUET)
  target_sources(grouplink_engine PRIVATE
    io/parquet_columns.cpp
    io/parquet_file.cpp
    io/parquet_inspect.cpp
    io/parquet_links.cpp
    io/parquet_read.cpp
    io/parquet_vectors.cpp
    io/parquet_write.cpp)
else()
  target_sources(grouplink_engine PRIVATE io/no_parquet.cpp)
endif()
