#include <grouplink/version.hpp>

namespace grouplink {

const char* version() noexcept { return GROUPLINK_VERSION; }

}  // namespace grouplink
