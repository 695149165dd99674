#pragma once

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
    /// `rows` that there are; a source must be one of them.
    explicit EdgeList(std::int64_t rows) : rows_(rows) {}

    bool has_row(std::int64_t row) const { return row >= 0 && row < rows_; }
    void add(std::int64_t source, std::int64_t target, float weight) {
        sources_.push_back(source);
        targets_.push_back(target);
        weights_.push_back(weight);
    }

    /// The links of each row in the order in which they were added.
    CsrGraph graph() const;

    /// Each link at both of its rows. Among a row's own, which keep their order, those that stand at their
    /// other row take the places that their weights give them.
    CsrGraph both_ways() const;

private:
    std::int64_t rows_;
    std::vector<std::int64_t> sources_;
    std::vector<std::int64_t> targets_;
    std::vector<float> weights_;
};

/// Each takes the links and what else the file tells.
LinksFile read_npz_links(const std::string& path, const Table& table, const JobControl& control);
LinksFile read_text_links(const std::string& path, char delimiter, const Table& table,
                          const JobControl& control);
LinksFile read_columnar_links(const std::string& path, const Table& table, const JobControl& control);

}  // namespace grouplink::io
