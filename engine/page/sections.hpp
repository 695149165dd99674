#pragma once

#include <grouplink/report_page.hpp>

#include <string>

namespace grouplink::page {

/// All that a page is made of; borrowed.
struct Subject {
    const Report& report;
    const LinkSample& sample;
    const GroupColumn& groups;
    const IdColumn& ids;
    const StringColumn& texts;
};

// Each gives the HTML of a section, heading and all.

std::string quality_section(const Report& report);
std::string groups_section(const Report& report);
std::string plan_section(const Report& report);
std::string time_section(const Report& report);
std::string examples_section(const Subject& subject);
std::string neighborhoods_section(const Subject& subject);
std::string settings_section(const Report& report);

}  // namespace grouplink::page
