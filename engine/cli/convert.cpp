#include "cli/progress.hpp"
#include "cli/run.hpp"
#include "cli/streams.hpp"
#include "cli/text.hpp"

#include <grouplink/io.hpp>

#include <fmt/format.h>

#include <string>

namespace grouplink::cli {

void run_convert(const ConvertArguments& arguments, const std::stop_token& stop) {
    ProgressLine line(!arguments.quiet && error_is_terminal());
    const JobControl control{line.callback(), stop};
    line.update({"read", 0.0});
    const Converted converted = convert_file(arguments.spec, control);
    line.clear();
    if (arguments.quiet) return;
    std::string text = plural(converted.rows, "row");
    if (converted.links) text += fmt::format(", {}", plural(*converted.links, "link"));
    if (const std::string times = line.times_text(); !times.empty()) text += fmt::format(", in {}", times);
    text += fmt::format(" -> {}\n", printable(arguments.spec.output.path));
    if (!converted.note.empty()) text += fmt::format("note: {}\n", printable(converted.note));
    print_error(text);
}

}  // namespace grouplink::cli
