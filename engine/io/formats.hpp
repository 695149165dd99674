#pragma once

#include <grouplink/io.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace grouplink::io {

enum class Format : std::uint8_t {
    unknown,
    parquet,
    arrow,
    npy,
    npz,
    csv,
    tsv,
    fbin,
    fvecs,
    jsonl,
    sqlite,
    part
};

/// By the extension, in either case of letters.
Format format_of(std::string_view path);

/// ".parquet" for "rows.parquet"; empty for a name without one.
std::string extension_of(std::string_view path);

/// The format of `path`, which must be one that can have the role. Throws Error(invalid_options) that
/// lists the extensions; `what` is what the file is in its words, such as "an input".
Format known_format(std::string_view path, FileRole role, std::string_view what);

/// Read and written through Arrow: nothing of it is in a build without Parquet.
constexpr bool is_columnar(Format format) { return format == Format::parquet || format == Format::arrow; }

/// One matrix without columns: groups and ids are in files beside it.
constexpr bool is_array(Format format) {
    return format == Format::npy || format == Format::fbin || format == Format::fvecs;
}

}  // namespace grouplink::io
