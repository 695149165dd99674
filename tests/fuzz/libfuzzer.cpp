// One program for all targets: grouplink_fuzz --target=NAME [libFuzzer's options] [CORPUS...].

#include "target.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

const fuzz::Target* chosen = nullptr;

}  // namespace

// libFuzzer leaves options of two dashes alone.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    constexpr std::string_view option = "--target=";
    for (int i = 1; i < *argc; ++i) {
        const std::string_view argument = (*argv)[i];
        if (argument.starts_with(option)) chosen = fuzz::find_target(argument.substr(option.size()));
    }
    if (chosen) return 0;
    std::fputs("grouplink_fuzz: pass --target=NAME, one of:", stderr);
    for (const fuzz::Target& target : fuzz::targets()) std::fprintf(stderr, " %s", target.name.data());
    std::fputs("\n", stderr);
    std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    chosen->run({reinterpret_cast<const char*>(data), size});
    return 0;
}
