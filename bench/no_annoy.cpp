#include "peers.hpp"

#include <grouplink/error.hpp>

namespace bench {

Neighbors annoy(const Dataset&, std::int64_t, int, int, int) {
    throw grouplink::Error(grouplink::ErrorCode::invalid_options,
                           "method annoy: left out of this build; configure with GROUPLINK_BENCH_ANNOY=ON");
}

}  // namespace bench
