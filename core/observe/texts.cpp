// SPDX-License-Identifier: MIT
#include "core/observe/texts.hpp"

#include "core/base/suggest.hpp"
#include "core/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir::observe {

std::string short_duration(Duration d) {
  const auto ns = static_cast<double>(d.count());
  const auto digits = [](double value, const char* unit) {
    const int decimals = value < 10 ? 2 : value < 100 ? 1 : 0;
    return fmt::format("{:.{}f}{}", value, decimals, unit);
  };
  if (ns < 1e3) return fmt::format("{}ns", d.count());
  if (ns < 1e6) return digits(ns / 1e3, "us");
  if (ns < 1e9) return digits(ns / 1e6, "ms");
  if (ns < 120e9) return digits(ns / 1e9, "s");
  return digits(ns / 60e9, "min");
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const std::size_t length = utf8_length(text, at);
    if (length == 0) {
      out += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += text.substr(at, length);
    }
    at += std::max<std::size_t>(length, 1);
  }
  return out + "\"";
}

std::string unknown_pool_text(std::string_view name, const std::vector<std::string_view>& known) {
  std::string text = fmt::format("there is no pool \"{}\"", printable(name));
  const std::string_view near = nearest(name, known);
  if (!near.empty()) text += fmt::format("; did you mean \"{}\"?", near);
  return text + fmt::format(" (configured: {})", fmt::join(known, ", "));
}

std::string counts_text(const PoolCounts& c) {
  std::string text = fmt::format("{} of {} connections: {} lent, {} idle",
                                 c.lent + c.idle + c.connecting + c.other, c.max, c.lent, c.idle);
  if (c.connecting > 0) text += fmt::format(", {} connecting", c.connecting);
  if (c.other > 0) text += fmt::format(", {} in transition", c.other);
  if (c.waiting > 0) text += fmt::format("; {} waiting", c.waiting);
  return text;
}

std::string place_text(std::string_view site, std::string_view tag) {
  const std::size_t slash = site.rfind('/');
  std::string text(slash == std::string_view::npos ? site : site.substr(slash + 1));
  if (!tag.empty()) text += fmt::format(" \"{}\"", tag);
  return text;
}

std::string holder_text(const LeaseHolder& holder) {
  return short_duration(holder.held) + " " + place_text(holder.site, holder.tag);
}

static std::string_view remedy(AcquireClass reason) {
  switch (reason) {
    case AcquireClass::all_busy:
      return "every connection was lent: hold leases for less time, or raise `max`";
    case AcquireClass::slow_connect:
      return "connections were being made, but not in time: raise `min` or `max_connecting`, or "
             "look "
             "at why connecting is slow";
    case AcquireClass::endpoint_down:
      return "no connection could be made: see the error above; the pool goes on trying";
    case AcquireClass::auth:
      return "credentials or configuration are refused: trying again will not help";
    case AcquireClass::server_full:
      return "the server takes no more sessions: lower `max`, or raise the server's limit";
    case AcquireClass::suspended:
      return "the pool is suspended";
    case AcquireClass::closed:
      return "the pool is closed";
    case AcquireClass::self_deadlock:
      return "every connection is held by a thread that itself waits for another one: take one "
             "connection per thread, or pass the one you hold down";
  }
  return "";
}

// ": 28.0s busy, 2.0s connecting", the longest first.
static std::string phases_text(const PhaseTimes& phases) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    if (phases[i] > Duration{}) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(phases[b], a) < std::pair(phases[a], b);
  });
  std::string text;
  for (const std::size_t i : order) {
    text += fmt::format("{}{} {}", text.empty() ? "\n  of that time " : ", ",
                        short_duration(phases[i]), to_string(static_cast<AcquirePhase>(i)));
  }
  return text;
}

std::string explain(std::string_view pool, const AcquireReport& r) {
  std::string text = fmt::format("{}: no connection within {}: {}", pool, short_duration(r.waited),
                                 to_string(r.reason));
  text += phases_text(r.phases);
  text += fmt::format("\n  now {}", counts_text(r.at_end));
  if (r.oldest_wait > Duration{}) {
    text += fmt::format(", the oldest for {}", short_duration(r.oldest_wait));
  }
  text += fmt::format("\n  when queued {}", counts_text(r.at_start));
  if (!r.holders.empty()) {
    text += "\n  longest leases: ";
    for (std::size_t i = 0; i < r.holders.size(); ++i) {
      text += (i == 0 ? "" : ", ") + holder_text(r.holders[i]);
    }
  }
  if (!r.create_error.empty()) {
    text += fmt::format("\n  last connect error, {} ago: {}", short_duration(r.create_error_age),
                        r.create_error);
  }
  text += fmt::format("\n  {}", remedy(r.reason));
  return text;
}

}  // namespace weir::observe
