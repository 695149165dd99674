#pragma once

#include "cli/arguments.hpp"

#include <grouplink/groups.hpp>
#include <grouplink/plan.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace grouplink::cli {

/// A plan and the shares that it is cut into.
struct CutPlan {
    const Plan& whole;
    const GroupColumn& groups;
    std::vector<Plan> shares;
    Shares asked;
};

std::string shares_text(const CutPlan& plan);
nlohmann::ordered_json shares_json(const CutPlan& plan);

}  // namespace grouplink::cli
