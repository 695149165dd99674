#pragma once

#include <grouplink/options.hpp>

#include <nlohmann/json.hpp>

namespace grouplink::io {

/// The options that decide what the links are, by their names: all but threads.
nlohmann::ordered_json options_json(const LinkOptions& options);

}  // namespace grouplink::io
