#include "machine.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <string_view>
#include <thread>

namespace grouplink {
namespace {

/// What follows `separator` in the first line of the file that begins with `name`; without quotes.
std::string field_of(const char* path, std::string_view name, char separator) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const auto at = line.find(separator);
        if (!line.starts_with(name) || at == std::string::npos) continue;
        const auto first = line.find_first_not_of(" \t\"", at + 1);
        if (first == std::string::npos) return {};
        return line.substr(first, line.find_last_not_of(" \t\"") + 1 - first);
    }
    return {};
}

}  // namespace

Machine describe_machine() {
    Machine machine;
    utsname system{};
    const bool named = ::uname(&system) == 0;
    machine.cpu = field_of("/proc/cpuinfo", "model name", ':');
    if (machine.cpu.empty() && named) machine.cpu = system.machine;
    machine.system = field_of("/etc/os-release", "PRETTY_NAME", '=');
    if (named) {
        if (!machine.system.empty()) machine.system += ", ";
        machine.system += std::string(system.sysname) + ' ' + system.release;
    }
    machine.cpus = static_cast<std::int64_t>(std::thread::hardware_concurrency());
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long page_bytes = ::sysconf(_SC_PAGESIZE);
    if (pages > 0 && page_bytes > 0) machine.memory_bytes = std::int64_t{pages} * page_bytes;
    return machine;
}

}  // namespace grouplink
