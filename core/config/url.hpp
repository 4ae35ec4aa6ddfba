// SPDX-License-Identifier: MIT
//
// The parameters of a database URL that belong to the pool and not to the driver.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

struct UrlParameter {
  std::string_view name;  // connection_limit, pool_timeout or connect_timeout
  std::string_view key;   // the option that it sets
  std::string value;      // percent-decoded
};

struct SplitUrl {
  std::string url;  // byte for byte the rest, in its order and encoding
  std::vector<UrlParameter> parameters;
};

// Text that is no URL with a query (a path, "host=... password=...") comes back unchanged.
[[nodiscard]] SplitUrl split_url(std::string_view url);

}  // namespace weir::config
