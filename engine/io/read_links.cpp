#include "io/formats.hpp"
#include "io/links_reader.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace grouplink {
namespace io {
namespace {

struct Link {
    float weight;
    std::int64_t target;
};

bool before(const Link& a, const Link& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.target < b.target;
}

/// Offsets of rows from a count of each; one entry more than rows.
void counts_to_offsets(std::vector<std::int64_t>& counts) {
    std::int64_t total = 0;
    for (std::int64_t& count : counts) total += std::exchange(count, total);
}

}  // namespace

CsrGraph EdgeList::graph(std::int64_t rows) const {
    CsrGraph graph;
    graph.offsets.assign(static_cast<std::size_t>(rows) + 1, 0);
    for (const std::int64_t source : sources_) ++graph.offsets[static_cast<std::size_t>(source)];
    counts_to_offsets(graph.offsets);
    graph.targets.resize(targets_.size());
    graph.weights.resize(weights_.size());
    std::vector<std::int64_t> next(graph.offsets);
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        const auto place = static_cast<std::size_t>(next[static_cast<std::size_t>(sources_[i])]++);
        graph.targets[place] = targets_[i];
        graph.weights[place] = weights_[i];
    }
    return graph;
}

CsrGraph EdgeList::sorted(std::int64_t rows) const {
    CsrGraph graph = this->graph(rows);
    std::vector<Link> links;
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
        const auto first = static_cast<std::size_t>(graph.offsets[row]);
        const auto last = static_cast<std::size_t>(graph.offsets[row + 1]);
        links.clear();
        for (std::size_t i = first; i < last; ++i) links.push_back({graph.weights[i], graph.targets[i]});
        std::sort(links.begin(), links.end(), before);
        for (std::size_t i = first; i < last; ++i) {
            graph.weights[i] = links[i - first].weight;
            graph.targets[i] = links[i - first].target;
        }
    }
    return graph;
}

CsrGraph EdgeList::both_ways(std::int64_t rows) const {
    EdgeList back;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        const bool is_row = targets_[i] >= 0 && targets_[i] < rows;
        if (is_row && targets_[i] != sources_[i]) back.add(targets_[i], sources_[i], weights_[i]);
    }
    const CsrGraph own = graph(rows);
    const CsrGraph returned = back.graph(rows);
    const auto links_of = [](const CsrGraph& from, std::size_t row, std::vector<Link>& links) {
        links.clear();
        for (auto i = static_cast<std::size_t>(from.offsets[row]);
             i < static_cast<std::size_t>(from.offsets[row + 1]); ++i) {
            links.push_back({from.weights[i], from.targets[i]});
        }
    };
    CsrGraph both;
    both.offsets.push_back(0);
    std::vector<Link> listed;
    std::vector<Link> others;
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
        links_of(own, row, listed);
        links_of(returned, row, others);
        std::sort(others.begin(), others.end(), before);
        // std::merge, but for a list of its own that may not be sorted.
        std::size_t a = 0;
        std::size_t b = 0;
        while (a < listed.size() || b < others.size()) {
            const bool mine = b == others.size() || (a < listed.size() && !before(others[b], listed[a]));
            const Link& link = mine ? listed[a++] : others[b++];
            both.targets.push_back(link.target);
            both.weights.push_back(link.weight);
        }
        both.offsets.push_back(static_cast<std::int64_t>(both.targets.size()));
    }
    return both;
}

LinksFile read_links_of(const std::string& path, RowNames& names, const JobControl& control) {
    switch (known_format(path, FileRole::links, "an output")) {
        case Format::npz: return read_npz_links(path, names, control);
        case Format::csv: return read_text_links(path, ',', names, control);
        case Format::tsv: return read_text_links(path, '\t', names, control);
        case Format::jsonl: return read_json_links(path, names, control);
        case Format::sqlite: return read_sqlite_links(path, names, control);
        default: return read_columnar_links(path, names, control);
    }
}

}  // namespace io

LinksFile read_links(const std::string& path, const Table& table, const JobControl& control) {
    io::RowNames names(table.ids, table.vectors.rows);
    return io::read_links_of(path, names, control);
}

}  // namespace grouplink
