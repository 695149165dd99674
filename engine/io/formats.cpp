#include "io/formats.hpp"

#include "io/message.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

namespace grouplink {
namespace io {
namespace {

struct Extension {
    std::string_view text;
    Format format;
    bool rows;
    bool links;
    bool listed = true;  ///< in messages; others are further names of the same
};

constexpr Extension extensions[] = {
    {".parquet", Format::parquet, true, true},
    {".arrow", Format::arrow, true, true},
    {".feather", Format::arrow, true, true, false},
    {".ipc", Format::arrow, true, true, false},
    {".arrows", Format::arrow, true, true, false},
    {".npy", Format::npy, true, false},
    {".fbin", Format::fbin, true, false},
    {".fvecs", Format::fvecs, true, false},
    {".npz", Format::npz, false, true},
    {".csv", Format::csv, false, true},
    {".tsv", Format::tsv, false, true},
    {".jsonl", Format::jsonl, true, true},
    {".ndjson", Format::jsonl, true, true, false},
    {".db", Format::sqlite, true, true},
    {".sqlite", Format::sqlite, true, true, false},
    {".sqlite3", Format::sqlite, true, true, false},
    {".part", Format::part, false, false},
};

bool has_role(const Extension& extension, FileRole role) {
    switch (role) {
        case FileRole::rows: return extension.rows;
        case FileRole::links: return extension.links;
        case FileRole::any: break;
    }
    return true;
}

}  // namespace

std::string extension_of(std::string_view path) {
    std::string extension = std::filesystem::path(path).extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return extension;
}

Format format_of(std::string_view path) {
    const std::string text = extension_of(path);
    for (const Extension& extension : extensions) {
        if (extension.text == text) return extension.format;
    }
    return Format::unknown;
}

Format known_format(std::string_view path, FileRole role, std::string_view what) {
    const std::string text = extension_of(path);
    std::vector<std::string> names;
    std::vector<std::string_view> listed;
    for (const Extension& extension : extensions) {
        if (!has_role(extension, role)) continue;
        if (extension.text == text) return extension.format;
        names.emplace_back(extension.text);
        if (extension.listed) listed.push_back(extension.text);
    }
    const std::string got = text.empty() ? "no extension" : fmt::format("extension {}", in_quotes(text));
    fail(ErrorCode::invalid_options, "{}: {}, {} is one of {}{}", path, got, what, fmt::join(listed, ", "),
         text.empty() ? std::string() : did_you_mean(text, names));
}

}  // namespace io

std::vector<std::string_view> file_extensions(FileRole role) {
    std::vector<std::string_view> texts;
    for (const io::Extension& extension : io::extensions) {
        if (io::has_role(extension, role)) texts.push_back(extension.text);
    }
    return texts;
}

}  // namespace grouplink
