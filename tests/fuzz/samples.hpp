#pragma once

#include <grouplink/io.hpp>

#include <string>

/// Small files of every format, by our own writers: what fuzzing begins with.
namespace fuzz {

/// Some rows of two groups, with ids that take quoting.
const grouplink::Table& sample_table();

/// Links of them, as an archive of .npz.
std::string sample_links();

/// Share `index` of 2 of a job on them.
void write_sample_part(const std::string& path, std::int64_t index);

/// Writes the seeds of each target to folder/TARGET/.
void write_seeds(const std::string& folder);

}  // namespace fuzz
