// SPDX-License-Identifier: MIT
#include "backends/mysql/config.hpp"

#include <filesystem>
#include <optional>

namespace weir::mysql {
namespace {

using backend::fail;
using backend::option;

constexpr weir_option_spec specs[] = {
    option("user", WEIR_OPT_STRING, nullptr, nullptr,
           "the account to log in with; the url may name it instead"),
    option("password", WEIR_OPT_STRING, nullptr, nullptr,
           "its password; better here, from a file or the environment, than in the url",
           WEIR_OPT_SECRET),
    option("socket", WEIR_OPT_STRING, nullptr, nullptr,
           "path of the server's Unix socket, instead of a host and port"),
    option("tls", WEIR_OPT_CHOICE, "off", "off|require",
           "require encrypts, checks the server's certificate and host name against tls_ca, and "
           "fails where the server offers no TLS"),
    option("tls_ca", WEIR_OPT_STRING, nullptr, nullptr,
           "file with the certificates to trust; needed with tls = \"require\""),
    option("tls_cert", WEIR_OPT_STRING, nullptr, nullptr,
           "file with the certificate that this client shows to the server"),
    option("tls_key", WEIR_OPT_STRING, nullptr, nullptr, "file with the private key of tls_cert"),
    option("connect_timeout", WEIR_OPT_DURATION, "10s", nullptr,
           "how long an attempt to connect may last where the call has no earlier deadline; the "
           "client library counts whole seconds"),
    option("read_timeout", WEIR_OPT_DURATION, "60m", nullptr,
           "how long the client library waits for a silent server before it gives the connection "
           "up; ends calls that nobody waits for any more, and statements that run longer"),
};

weir_status wrong(weir_error* error, std::initializer_list<std::string_view> text) {
  return fail(error, {.kind = WEIR_E_CONFIG}, text);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// %41 -> A. Nothing for an escape that is cut or not of hex digits, or that makes a NUL.
std::optional<std::string> decode(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    char c = s[i];
    if (c == '%') {
      if (i + 2 >= s.size() || hex_digit(s[i + 1]) < 0 || hex_digit(s[i + 2]) < 0) {
        return std::nullopt;
      }
      c = static_cast<char>(hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2]));
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    out += c;
  }
  return out;
}

// Takes what comes before `mark` off `rest`; everything if there is no mark.
std::string_view take(std::string_view& rest, char mark) {
  const std::size_t at = rest.find(mark);
  const std::string_view taken = rest.substr(0, at);
  rest = at == std::string_view::npos ? "" : rest.substr(at + 1);
  return taken;
}

// Never shows the url itself: what stands where the user's name is expected may be a password.
weir_status bad_escape(std::string_view where, weir_error* error) {
  return wrong(error, {"the ", where, " in the url has a '%' that begins no escape: write '%25'"});
}

weir_status assign(std::string& to, std::string_view encoded, std::string_view where,
                   weir_error* error) {
  auto decoded = decode(encoded);
  if (!decoded) return bad_escape(where, error);
  to = std::move(*decoded);
  return WEIR_OK;
}

weir_status parse_account(std::string_view account, Config& config, weir_error* error) {
  const std::string_view user = take(account, ':');
  if (const auto bad = assign(config.user, user, "user", error)) return bad;
  return assign(config.password, account, "password", error);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto number = backend::parse_integer(text);
  if (!number || *number < 1 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

weir_status parse_place(std::string_view place, Config& config, weir_error* error) {
  std::string_view host;
  std::string_view port;
  if (place.starts_with('[')) {  // an IPv6 address
    const std::size_t end = place.find(']');
    if (end == std::string_view::npos) return wrong(error, {"the url's '[' has no ']'"});
    host = place.substr(1, end - 1);
    port = place.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) {
      return wrong(error, {"in the url a ':' and the port may follow ']', and nothing else"});
    }
    if (!port.empty()) port.remove_prefix(1);
  } else {
    port = place;
    host = take(port, ':');
  }
  if (!port.empty()) {
    const auto number = parse_port(port);
    if (!number) return wrong(error, {"the port in the url must be a number from 1 to 65535"});
    config.port = *number;
  }
  return assign(config.host, host, "host", error);
}

weir_status apply_query(std::string_view query, Config& config, weir_error* error) {
  while (!query.empty()) {
    std::string_view pair = take(query, '&');
    if (pair.empty()) continue;
    const std::string_view key = take(pair, '=');
    if (key != "socket") {
      // A value may be secret; a key hardly is, but what is no word may be a piece of a password.
      return wrong(error, {"the url has a parameter that a MySQL url does not take; it takes "
                           "socket=PATH, everything else is an option"});
    }
    if (const auto bad = assign(config.socket, pair, "socket path", error)) return bad;
  }
  return WEIR_OK;
}

weir_status parse_url(std::string_view url, Config& config, weir_error* error) {
  std::string_view rest;
  for (const std::string_view scheme : {"mysql://", "mariadb://"}) {
    if (url.starts_with(scheme)) rest = url.substr(scheme.size());
  }
  if (rest.data() == nullptr) {
    return wrong(error, {"the url must begin with mysql:// or mariadb://, for example "
                         "mysql://app@db.example.org:3306/shop"});
  }
  std::string_view query = take(rest, '#');
  const std::string_view fragment = rest;
  rest = take(query, '?');
  const std::string_view authority = take(rest, '/');
  // Else a piece of a password would be taken for the name of a database, and shown.
  if (rest.find('@') != std::string_view::npos || fragment.find('@') != std::string_view::npos) {
    return wrong(error, {"the url has an '@' behind a '/' or '#': in a password write '%2F' for a "
                         "'/' and '%23' for a '#', in the name of a database '%40' for an '@'"});
  }
  // The last '@': one that belongs to a password should be %40, but people forget.
  const std::size_t at = authority.rfind('@');
  if (at != std::string_view::npos) {
    if (const auto bad = parse_account(authority.substr(0, at), config, error)) return bad;
  }
  const std::string_view place =
      at == std::string_view::npos ? authority : authority.substr(at + 1);
  if (const auto bad = parse_place(place, config, error)) return bad;
  if (const auto bad = assign(config.database, rest, "database", error)) return bad;
  return apply_query(query, config, error);
}

// One of the two may speak; two that differ are a mistake.
weir_status settle(std::string& in_url, std::string_view in_option, std::string_view what,
                   weir_error* error) {
  if (in_option.empty()) return WEIR_OK;
  if (!in_url.empty() && in_url != in_option) {
    return wrong(error, {"the url and the option ", what, " disagree: keep one of them"});
  }
  in_url = in_option;
  return WEIR_OK;
}

std::string absolute(std::string_view base_dir, std::string_view path) {
  namespace fs = std::filesystem;
  if (path.empty() || fs::path(path).is_absolute()) return std::string(path);
  return fs::absolute(fs::path(base_dir) / path).string();
}

weir_status check_tls(const Config& config, weir_error* error) {
  if (config.tls == Tls::off) {
    if (config.tls_ca.empty() && config.tls_cert.empty() && config.tls_key.empty()) return WEIR_OK;
    return wrong(error, {"tls_ca, tls_cert and tls_key need tls = \"require\": without it nothing "
                         "would be encrypted"});
  }
  if (config.tls_ca.empty()) {
    return wrong(error, {"tls = \"require\" needs tls_ca: without certificates to trust, anybody "
                         "could stand in for the server"});
  }
  if (config.tls_cert.empty() != config.tls_key.empty()) {
    return wrong(error, {"tls_cert and tls_key go together"});
  }
  return WEIR_OK;
}

std::string display_of(const Config& config) {
  std::string text = "mysql://";
  if (!config.user.empty()) text += config.user + "@";
  if (!config.socket.empty()) {
    text += "localhost";
  } else if (config.host.find(':') != std::string::npos) {
    text += "[" + config.host + "]:" + std::to_string(config.port);
  } else {
    text += config.host + ":" + std::to_string(config.port);
  }
  text += "/" + config.database;
  if (!config.socket.empty()) text += "?socket=" + config.socket;
  return text;
}

}  // namespace

std::span<const weir_option_spec> option_specs() noexcept { return specs; }

weir_status parse_config(const weir_source_args& args, Config& config, weir_error* error) {
  if (const auto bad = backend::check_options(args, specs, std::size(specs), error)) return bad;
  const auto value = [&args](std::string_view key) {
    return backend::option_value(args, specs, std::size(specs), key);
  };
  const std::string_view base_dir = backend::view(args.base_dir);
  if (const auto bad = parse_url(backend::view(args.url), config, error)) return bad;
  if (const auto bad = settle(config.user, value("user"), "user", error)) return bad;
  if (const auto bad = settle(config.password, value("password"), "password", error)) return bad;
  if (const auto bad = settle(config.socket, value("socket"), "socket", error)) return bad;
  config.socket = absolute(base_dir, config.socket);
  if (config.socket.empty() && config.host.empty()) {
    return wrong(error, {"the url names no host; write mysql://user@host/database, or give a "
                         "socket"});
  }
  if (!config.socket.empty() && !config.host.empty() && config.host != "localhost") {
    return wrong(error, {"the url names a host and a socket: keep one of them"});
  }
  config.tls = value("tls") == "require" ? Tls::require : Tls::off;
  config.tls_ca = absolute(base_dir, value("tls_ca"));
  config.tls_cert = absolute(base_dir, value("tls_cert"));
  config.tls_key = absolute(base_dir, value("tls_key"));
  config.connect_timeout_ns = *backend::parse_duration(value("connect_timeout"));
  config.read_timeout_ns = *backend::parse_duration(value("read_timeout"));
  if (config.connect_timeout_ns == 0 || config.read_timeout_ns == 0) {
    return wrong(error, {config.connect_timeout_ns == 0 ? "connect_timeout" : "read_timeout",
                         " must be longer than 0"});
  }
  config.display = display_of(config);
  return check_tls(config, error);
}

}  // namespace weir::mysql
