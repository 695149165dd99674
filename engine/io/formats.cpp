#include "io/formats.hpp"

#include "io/message.hpp"

#include <algorithm>
#include <filesystem>

namespace grouplink::io {

std::string extension_of(std::string_view path) {
    std::string extension = std::filesystem::path(path).extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return extension;
}

Format format_of(std::string_view path) {
    const std::string extension = extension_of(path);
    if (extension == ".parquet") return Format::parquet;
    if (extension == ".npy") return Format::npy;
    if (extension == ".npz") return Format::npz;
    if (extension == ".csv") return Format::csv;
    if (extension == ".tsv") return Format::tsv;
    return Format::unknown;
}

Format known_format(std::string_view path, std::string_view role, std::span<const std::string> known) {
    const std::string extension = extension_of(path);
    if (std::find(known.begin(), known.end(), extension) != known.end()) return format_of(path);
    const std::string got =
        extension.empty() ? "no extension" : fmt::format("extension {}", in_quotes(extension));
    fail(ErrorCode::invalid_options, "{}: {}, {} is one of {}{}", path, got, role, fmt::join(known, ", "),
         extension.empty() ? std::string() : did_you_mean(extension, known));
}

}  // namespace grouplink::io
