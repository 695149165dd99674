#pragma once

#include "cli/arguments.hpp"

#include <grouplink/error.hpp>
#include <grouplink/journal.hpp>
#include <grouplink/report.hpp>

#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace grouplink::cli {

/// The journal of this job, and a word on standard error where one waits that nobody asked for.
Journal open_journal(const LinkArguments& arguments);

/// Adds what is to be known of the journal.
void add_note(Report& report, const Journal& journal);

/// What standard error tells of an earlier run's work; empty where there is nothing to tell.
std::string resumed_text(const Report& report);

/// The error text of a run whose journal stays.
std::string with_hint(std::string_view what);

/// Calls `work`, which finds and writes the links; the journal goes once it is done.
template <typename Work>
void keep_journal(Journal& journal, Work&& work) {
    try {
        std::forward<Work>(work)();
    } catch (const Error& error) {
        if (!journal.kept()) throw;
        throw Error(error.code(), with_hint(error.what()));
    } catch (const std::bad_alloc&) {
        if (!journal.kept()) throw;
        throw Error(ErrorCode::over_budget, with_hint("out of memory"));
    }
    journal.remove();
}

}  // namespace grouplink::cli
