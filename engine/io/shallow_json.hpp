#pragma once

#include <string_view>

namespace grouplink::io {

/// The document, or a discarded one where the text is none. What is nested deeper than any of ours is left
/// out: the parser is not recursive, but copying a document and writing it as text are, and would exhaust the
/// stack.
template <typename Json>
Json parse_shallow(std::string_view text) {
    constexpr int deepest = 16;
    const auto keep = [](int depth, typename Json::parse_event_t, Json&) { return depth <= deepest; };
    return Json::parse(text, keep, false);
}

}  // namespace grouplink::io
