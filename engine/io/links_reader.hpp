#pragma once

#include "io/row_names.hpp"

#include <grouplink/io.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace grouplink::io {

/// Counts what has no place in a graph, and keeps the first.
inline void add_fault(LinksFile& file, std::string text) {
    if (file.faults++ == 0) file.first_fault = std::move(text);
}

/// Links in the order of a file, which become a graph.
class EdgeList {
public:
    /// A source must be a row that there is.
    void add(std::int64_t source, std::int64_t target, float weight) {
        sources_.push_back(source);
        targets_.push_back(target);
        weights_.push_back(weight);
    }

    /// The links of each of `rows` rows in the order in which they were added.
    CsrGraph graph(std::int64_t rows) const;

    /// The same, the heaviest of a row first and equal ones by target: for files without an order.
    CsrGraph sorted(std::int64_t rows) const;

    /// Each link at both of its rows. Among a row's own, which keep their order, those that stand at their
    /// other row take the places that their weights give them.
    CsrGraph both_ways(std::int64_t rows) const;

private:
    std::vector<std::int64_t> sources_;
    std::vector<std::int64_t> targets_;
    std::vector<float> weights_;
};

/// By the extension: the links and what else the file tells.
LinksFile read_links_of(const std::string& path, RowNames& names, const JobControl& control);

LinksFile read_npz_links(const std::string& path, RowNames& names, const JobControl& control);
LinksFile read_text_links(const std::string& path, char delimiter, RowNames& names,
                          const JobControl& control);
LinksFile read_json_links(const std::string& path, RowNames& names, const JobControl& control);
LinksFile read_sqlite_links(const std::string& path, RowNames& names, const JobControl& control);
LinksFile read_columnar_links(const std::string& path, RowNames& names, const JobControl& control);

}  // namespace grouplink::io
