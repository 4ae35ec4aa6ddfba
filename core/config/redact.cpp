// SPDX-License-Identifier: MIT
#include "core/config/redact.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace weir::config {
namespace {

constexpr std::string_view stars = "***";

// Parameters that never carry a secret; of all others only the name is shown.
constexpr std::array<std::string_view, 14> harmless_parameters{"mode",
                                                               "cache",
                                                               "vfs",
                                                               "immutable",
                                                               "sslmode",
                                                               "ssl",
                                                               "schema",
                                                               "pgbouncer",
                                                               "charset",
                                                               "timezone",
                                                               "host",
                                                               "application_name",
                                                               "client_encoding",
                                                               "target_session_attrs"};

// How the statements begin that people run on a new connection.
constexpr std::array<std::string_view, 16> verbs{
    "pragma", "set",    "select", "begin",  "attach", "create",  "alter",  "insert",
    "update", "delete", "call",   "listen", "use",    "analyze", "vacuum", "load"};

std::string redact_query(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    const std::size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    const bool harmless = std::find(harmless_parameters.begin(), harmless_parameters.end(), name) !=
                          harmless_parameters.end();
    if (!out.empty()) out += '&';
    if (harmless) {
      out += part;
    } else if (equals == std::string_view::npos) {
      out += stars;  // no name, so it may be the rest of a password that holds a '?'
    } else {
      out += name;
      out += '=';
      out += stars;
    }
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return out;
}

}  // namespace

bool looks_secret(std::string_view text) {
  const std::string lower = lower_case(text);
  for (const std::string_view sign : {"://", "@", "=", "passw", "pwd", "secret", "token"}) {
    if (lower.find(sign) != std::string::npos) return true;
  }
  return false;
}

bool is_modest(std::string_view text) {
  constexpr std::string_view others = " .:_-,\"'[]{}";
  return text.size() <= 32 && std::all_of(text.begin(), text.end(), [&](char c) {
           return is_digit(c) || is_lower(to_lower(c)) || others.find(c) != std::string_view::npos;
         });
}

std::string redact_url(std::string_view url) {
  // Neither a URL nor a path that is recognisable as one: perhaps a password in the wrong variable.
  if (!url.empty() && url.find_first_of(":/.") == std::string_view::npos) return std::string(stars);
  const std::size_t scheme_end = url.find("://");
  const std::size_t start = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
  std::string out(url.substr(0, start));
  std::string_view rest = url.substr(start);

  // The last @ of all, not the first before a slash: an unescaped password may hold / ? # and @.
  const std::size_t at = rest.rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view user_and_password = rest.substr(0, at);
    const std::string_view user = user_and_password.substr(0, user_and_password.find(':'));
    // Unless it stands in a parameter's value, or in "host=h password=p@": nothing is in its place.
    const std::size_t query = user_and_password.find('?');
    const bool in_parameter = query != std::string_view::npos &&
                              user_and_password.find('=', query) != std::string_view::npos;
    if (in_parameter || user.find_first_of("/?#= ") != std::string_view::npos) {
      return printable(out + std::string(stars));
    }
    out += user;
    if (user.size() < at) {
      out += ':';
      out += stars;
    }
    rest = rest.substr(at);
  }
  const std::size_t fragment = rest.find('#');
  const bool has_fragment = fragment != std::string_view::npos;
  const std::string_view whole = rest.substr(0, fragment);
  const std::size_t query = whole.find('?');
  const std::string_view path = whole.substr(0, query);
  // "host=h password=p" and its like have no shape that could be trusted.
  if (path.find('=') != std::string_view::npos) return std::string(stars);
  out += path;
  if (query != std::string_view::npos) out += "?" + redact_query(whole.substr(query + 1));
  if (has_fragment) out += "#" + std::string(stars);
  return printable(out);
}

std::string redact_sql(std::string_view sql) {
  const std::string_view text = trimmed(sql);
  std::size_t end = 0;
  for (int word = 0; word < 2 && end < text.size(); ++word) {
    std::size_t at = text.find_first_not_of(' ', end);
    const std::size_t start = at;
    while (at < text.size() && (is_lower(to_lower(text[at])) || text[at] == '_')) ++at;
    // What touches anything else may be a value: key='x'.
    if (at == start || (at < text.size() && text[at] != ' ' && text[at] != ';')) break;
    const std::string verb = lower_case(text.substr(start, at - start));
    const bool known = std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
    if (word == 0 && !known) break;
    end = at;
    // Only these two are followed by the name of a setting.
    if (word == 0 && verb != "pragma" && verb != "set") break;
  }
  std::string out(text.substr(0, end));
  if (end == text.size()) return out;
  return out.empty() ? std::string(stars) : out + " " + std::string(stars);
}

}  // namespace weir::config
