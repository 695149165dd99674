// Runs targets over files, in any build and without libFuzzer:
//
//     grouplink_replay FOLDER         each file of FOLDER/TARGET/ through its target, and each seed, whole
//     and cut grouplink_replay --seeds FOLDER writes the seeds to FOLDER/TARGET/ grouplink_replay --list the
//     targets, and the dictionary of each

#include "samples.hpp"
#include "target.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_below(const fs::path& folder) {
    std::vector<fs::path> files;
    if (!fs::exists(folder)) return files;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::string read_file(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

void replay(const fuzz::Target& target, const fs::path& folder, const fs::path& seeds) {
    const std::string name(target.name);
    int runs = 0;
    for (const fs::path& path : files_below(folder / name)) {
        std::fprintf(stderr, "%s: %s\n", name.c_str(), path.filename().c_str());  // what a crash is about
        target.run(read_file(path));
        ++runs;
    }
    for (const fs::path& path : files_below(seeds / name)) {
        const std::string bytes = read_file(path);
        target.run(bytes);
        target.run(bytes.substr(0, bytes.size() / 2));
        target.run(bytes.substr(0, bytes.size() - std::min<std::size_t>(1, bytes.size())));
        runs += 3;
    }
    target.run({});
    std::printf("%s: %d runs\n", name.c_str(), runs + 1);
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() == 1 && arguments[0] == "--list") {
        for (const fuzz::Target& target : fuzz::targets()) {
            std::printf("%s %s\n", target.name.data(),
                        target.dictionary.data() ? target.dictionary.data() : "");
        }
        return 0;
    }
    if (arguments.size() == 2 && arguments[0] == "--seeds") {
        fuzz::write_seeds(arguments[1]);
        return 0;
    }
    if (arguments.size() != 1) {
        std::fputs("grouplink_replay: pass FOLDER, --seeds FOLDER or --list\n", stderr);
        return 2;
    }
    const std::string seeds = fuzz::scratch_path("seeds");
    fuzz::write_seeds(seeds);
    for (const fuzz::Target& target : fuzz::targets()) replay(target, arguments[0], seeds);
    return 0;
}
