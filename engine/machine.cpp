#include "machine.hpp"

#include <grouplink/options.hpp>

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
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

/// The limit that a cgroup and those above it set, each in the file `name` of its folder below `root`; the
/// largest number where none does.
std::int64_t limit_of_cgroups(const std::string& root, std::string group, const char* name) {
    std::int64_t limit = std::numeric_limits<std::int64_t>::max();
    for (;;) {
        std::ifstream file(root + group + '/' + name);
        std::int64_t bytes = 0;  // "max" is no number
        if (file >> bytes && bytes > 0) limit = std::min(limit, bytes);
        const auto slash = group.rfind('/');
        if (slash == std::string::npos) return limit;
        group.resize(slash);
    }
}

std::int64_t cgroup_limit() {
    std::int64_t limit = std::numeric_limits<std::int64_t>::max();
    std::ifstream file("/proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = ',' + line.substr(first + 1, second - first - 1) + ',';
        const std::string group = line.substr(second + 1);
        if (controllers == ",,") {
            limit = std::min(limit, limit_of_cgroups("/sys/fs/cgroup", group, "memory.max"));
        } else if (controllers.find(",memory,") != std::string::npos) {
            limit =
                std::min(limit, limit_of_cgroups("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
        }
    }
    return limit;
}

std::int64_t physical_memory() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long page_bytes = ::sysconf(_SC_PAGESIZE);
    return pages > 0 && page_bytes > 0 ? std::int64_t{pages} * page_bytes : 0;
}

/// A number of KiB that /proc/self/status has under this name; 0 where it does not.
std::int64_t process_bytes(std::string_view name) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        std::int64_t kibibytes = 0;
        if (word == name && status >> kibibytes) return kibibytes * 1024;
    }
    return 0;
}

}  // namespace

std::int64_t default_memory_budget() {
    const std::int64_t physical = physical_memory();
    const std::int64_t least =
        std::min(physical > 0 ? physical : std::numeric_limits<std::int64_t>::max(), cgroup_limit());
    return least / 5 * 4;
}

std::int64_t resident_memory() { return process_bytes("VmRSS:"); }

std::int64_t resident_file_memory() { return process_bytes("RssFile:"); }

std::int64_t peak_memory() { return process_bytes("VmHWM:"); }

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
    machine.memory_bytes = physical_memory();
    return machine;
}

}  // namespace grouplink
