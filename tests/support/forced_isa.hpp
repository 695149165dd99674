#pragma once

#include "kernels/kernels.hpp"

#include <cstdlib>
#include <string>
#include <vector>

/// Sets GROUPLINK_ISA for as long as it lives.
class ForcedIsa {
public:
    explicit ForcedIsa(grouplink::kernels::Isa isa) {
        setenv("GROUPLINK_ISA", std::string(grouplink::kernels::name(isa)).c_str(), 1);
    }
    ~ForcedIsa() { unsetenv("GROUPLINK_ISA"); }
    ForcedIsa(const ForcedIsa&) = delete;
    ForcedIsa& operator=(const ForcedIsa&) = delete;
};

/// Those that this CPU has.
inline std::vector<grouplink::kernels::Isa> available_isas() {
    std::vector<grouplink::kernels::Isa> available;
    for (const auto isa : grouplink::kernels::all_isas) {
        if (grouplink::kernels::find(isa)) available.push_back(isa);
    }
    return available;
}
