// SPDX-License-Identifier: MIT
#include "core/config/url.hpp"

#include "core/base/text.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace weir::config {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> pool_parameters{{
    {"connection_limit", "max"},
    {"pool_timeout", "acquire_timeout"},
    {"connect_timeout", "create_timeout"},
}};

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// What comes before the '?' tells a URL or a path from "host=h password=what?". Where a scheme
// comes first it is a URL, whatever its password or path may hold.
bool has_query(std::string_view before) {
  const std::size_t sign = before.find_first_of(":= ");
  return sign == std::string_view::npos || before[sign] == ':';
}

}  // namespace

SplitUrl split_url(std::string_view url) {
  SplitUrl split{std::string(url), {}};
  const std::size_t question = url.find('?');
  if (question == std::string_view::npos || !has_query(url.substr(0, question))) return split;
  const std::size_t hash = url.find('#', question);
  const std::string_view fragment = hash == std::string_view::npos ? "" : url.substr(hash);
  std::string_view query = url.substr(question + 1, hash - question - 1);
  if (hash == std::string_view::npos) query = url.substr(question + 1);

  std::string rest;
  bool first = true;
  for (bool more = true; more;) {
    const std::size_t end = query.find('&');
    more = end != std::string_view::npos;
    const std::string_view part = query.substr(0, end);
    if (more) query.remove_prefix(end + 1);
    const std::size_t equals = part.find('=');
    const std::string name = percent_decoded(part.substr(0, equals));
    const std::pair<std::string_view, std::string_view>* ours = nullptr;
    for (const auto& parameter : pool_parameters) {
      if (parameter.first == name) ours = &parameter;
    }
    if (ours != nullptr) {
      const std::string_view value =
          equals == std::string_view::npos ? "" : part.substr(equals + 1);
      split.parameters.push_back({ours->first, ours->second, percent_decoded(value)});
      continue;
    }
    if (!first) rest += '&';
    rest += part;
    first = false;
  }
  if (split.parameters.empty()) return split;
  split.url = std::string(url.substr(0, question));
  if (!first) split.url += "?" + rest;
  split.url += fragment;
  return split;
}

}  // namespace weir::config
