#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace grouplink::io {

enum class Format : std::uint8_t { unknown, parquet, npy, npz, csv, tsv };

/// By the extension, in either case of letters.
Format format_of(std::string_view path);

/// ".parquet" for "rows.parquet"; empty for a name without one.
std::string extension_of(std::string_view path);

/// The format of `path`, which must be among `known`: extensions such as ".npy", in the order to be
/// listed. Throws Error(invalid_options) that lists them.
Format known_format(std::string_view path, std::string_view role, std::span<const std::string> known);

}  // namespace grouplink::io
