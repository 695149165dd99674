#pragma once

#include <grouplink/checkpoint.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace grouplink::io {

/// A checkpoint in bytes. `machine` is what links of approximate groups depend on: instruction set and FAISS.
std::string journal_record(const Checkpoint& checkpoint, std::string_view machine);

/// Takes it apart again, without what other machines found of approximate groups, whose ranges `left_out`
/// counts. Nothing: it makes no sense.
std::optional<Checkpoint> read_journal_record(std::string_view bytes, std::string_view machine,
                                              std::int64_t& left_out);

}  // namespace grouplink::io
