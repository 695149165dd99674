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

/// Offsets of rows from a count of each; one entry more than rows.
void counts_to_offsets(std::vector<std::int64_t>& counts) {
    std::int64_t total = 0;
    for (std::int64_t& count : counts) total += std::exchange(count, total);
}

}  // namespace

CsrGraph EdgeList::graph() const {
    CsrGraph graph;
    graph.offsets.assign(static_cast<std::size_t>(rows_) + 1, 0);
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

CsrGraph EdgeList::both_ways() const {
    EdgeList back(rows_);
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        if (has_row(targets_[i]) && targets_[i] != sources_[i])
            back.add(targets_[i], sources_[i], weights_[i]);
    }
    const CsrGraph own = graph();
    const CsrGraph returned = back.graph();
    const auto before = [](const Link& a, const Link& b) {
        return a.weight != b.weight ? a.weight > b.weight : a.target < b.target;
    };
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
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows_); ++row) {
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

}  // namespace io

LinksFile read_links(const std::string& path, const Table& table, const JobControl& control) {
    switch (io::known_format(path, io::Role::links, "an output")) {
        case io::Format::npz: return io::read_npz_links(path, table, control);
        case io::Format::csv: return io::read_text_links(path, ',', table, control);
        case io::Format::tsv: return io::read_text_links(path, '\t', table, control);
        default: return io::read_columnar_links(path, table, control);
    }
}

}  // namespace grouplink
