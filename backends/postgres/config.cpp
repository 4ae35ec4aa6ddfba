// SPDX-License-Identifier: MIT
#include "backends/postgres/config.hpp"

#include <algorithm>
#include <cstring>
#include <libpq-fe.h>
#include <memory>

namespace weir::postgres {
namespace {

using backend::fail;
using backend::option;

constexpr weir_option_spec specs[] = {
    option("password", WEIR_OPT_STRING, nullptr, nullptr,
           "the password, where it shall not stand in the url; without one libpq looks into its "
           "password file",
           WEIR_OPT_SECRET),
    option("sslmode", WEIR_OPT_CHOICE, "prefer",
           "disable|allow|prefer|require|verify-ca|verify-full",
           "what TLS must prove; only verify-full keeps out who can answer in the server's place; "
           "an sslmode= in the url wins over the default"),
    option("sslrootcert", WEIR_OPT_STRING, nullptr, nullptr,
           "the file of the certificates that verify-ca and verify-full trust"),
    option("target_session_attrs", WEIR_OPT_CHOICE, "any",
           "any|read-write|read-only|primary|standby|prefer-standby",
           "which of several servers will do; those that will not are passed over"),
    option("application_name", WEIR_OPT_STRING, "weir", nullptr,
           "the name under which pg_stat_activity shows the sessions"),
    option("endpoint_timeout", WEIR_OPT_DURATION, "0s", nullptr,
           "how long one address may take before the next one is tried; 0 shares what is left of "
           "the deadline evenly among the addresses left"),
};

// Keywords that would change what the driver relies on.
struct Refused {
  std::string_view keyword;
  std::string_view why;
};
constexpr Refused refused[] = {
    {"replication", "a replication session runs no ordinary statements"},
    {"service",
     "write its host, port and dbname into the url: what the service file names is "
     "looked up by libpq in a way that no deadline can end"},
};

// Keywords that name files, relative to the configuration.
constexpr std::string_view files[] = {"sslrootcert", "sslcert",   "sslkey",
                                      "sslcrl",      "sslcrldir", "passfile"};

struct FreeInfo {
  void operator()(PQconninfoOption* list) const noexcept { PQconninfoFree(list); }
};
using Info = std::unique_ptr<PQconninfoOption, FreeInfo>;

weir_status wrong(weir_error* error, std::initializer_list<std::string_view> text) {
  return fail(error, {.kind = WEIR_E_CONFIG}, text);
}

// libpq's complaint without what it quotes, which may be a piece of a password; a quoted keyword is
// shown where the sentence before it says that it is one.
std::string without_quotes(std::string_view message) {
  const std::size_t quote = message.find('"');
  std::string shown(message.substr(0, quote));
  const bool keyword = message.starts_with("invalid connection option") ||
                       message.starts_with("invalid URI query parameter");
  if (quote != std::string_view::npos && keyword) {
    const std::string_view word =
        message.substr(quote + 1, message.find('"', quote + 1) - quote - 1);
    const bool plain = word.size() <= 32 && word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") ==
                                                std::string_view::npos;
    if (plain) shown += "'" + std::string(word) + "'";
  }
  while (!shown.empty() && std::strchr(" :\n", shown.back()) != nullptr) shown.pop_back();
  return shown;
}

// libpq ends the password at the first '@' or '/'. Another '@' behind that says that it had one
// inside, whose rest would be shown as a host or a database.
bool has_stray_at(std::string_view behind_scheme) {
  const std::size_t end = behind_scheme.find_first_of("@/");
  if (end == std::string_view::npos) return false;
  // A '?' before the '@' is part of the password, too.
  const std::size_t query = behind_scheme.find('?', behind_scheme[end] == '@' ? end : 0);
  return behind_scheme.substr(0, query).find('@', end + 1) != std::string_view::npos;
}

weir_status parse_url(std::string_view url, Info& info, weir_error* error) {
  if (url.find('\0') != std::string_view::npos) {
    return wrong(error, {"the url contains a NUL byte"});
  }
  const std::size_t scheme = url.find("://");
  const bool ours = url.starts_with("postgres://") || url.starts_with("postgresql://");
  if (!ours && scheme != std::string_view::npos &&
      url.substr(0, scheme).find_first_of("= ") == std::string_view::npos) {
    return wrong(error, {"url scheme '", url.substr(0, scheme),
                         "' is not PostgreSQL's: write postgresql://user@host:5432/database"});
  }
  if (ours && has_stray_at(url.substr(scheme + 3))) {
    return wrong(error, {"url: a '@', ':' or '/' in a password is written %40, %3A or %2F, and a "
                         "'@' in a name %40"});
  }
  char* message = nullptr;
  info.reset(PQconninfoParse(std::string(url).c_str(), &message));
  const std::unique_ptr<char, void (*)(void*)> owned(message, PQfreemem);
  if (info != nullptr) return WEIR_OK;
  if (message == nullptr) throw std::bad_alloc();
  return wrong(error, {"the url cannot be read: ", without_quotes(message),
                       "; write postgresql://user@host:5432/database, and %XX for a special "
                       "character in a name or a password"});
}

PQconninfoOption* find(PQconninfoOption* list, std::string_view keyword) {
  for (; list != nullptr && list->keyword != nullptr; ++list) {
    if (keyword == list->keyword) return list;
  }
  return nullptr;
}

std::string_view value_of(const Info& info, std::string_view keyword) {
  const PQconninfoOption* found = find(info.get(), keyword);
  return found == nullptr || found->val == nullptr ? "" : found->val;
}

// The url's word, else libpq's default from the environment.
std::string_view effective(const Info& url, const Info& defaults, std::string_view keyword) {
  const std::string_view given = value_of(url, keyword);
  return given.empty() ? value_of(defaults, keyword) : given;
}

std::vector<std::string> split(std::string_view list, char separator = ',') {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = list.find(separator);
    parts.emplace_back(list.substr(0, end));
    if (end == std::string_view::npos) return parts;
    list = list.substr(end + 1);
  }
}

// libpq would complain only when it connects, and then it looks like a server that is away.
weir_status check_choices(const weir_source_args& args, const Info& url, const Info& defaults,
                          weir_error* error) {
  for (const weir_option_spec& spec : specs) {
    if (spec.type != WEIR_OPT_CHOICE) continue;
    const auto option = backend::option_value(args, specs, std::size(specs), spec.key);
    if (option != spec.default_value) continue;  // it wins, and has been checked
    const std::string_view word = effective(url, defaults, spec.key);
    const std::vector<std::string> choices = split(spec.choices, '|');
    if (word.empty() || std::find(choices.begin(), choices.end(), word) != choices.end()) continue;
    return wrong(error, {"url: ", spec.key, " must be one of ", spec.choices});
  }
  return WEIR_OK;
}

// As libpq pairs them: one port stands for all, other lists must be as long as that of the hosts.
weir_status list_endpoints(const Info& url, const Info& defaults, Config& config,
                           weir_error* error) {
  const std::vector<std::string> hosts = split(effective(url, defaults, "host"));
  const std::vector<std::string> addresses = split(effective(url, defaults, "hostaddr"));
  const std::vector<std::string> ports = split(effective(url, defaults, "port"));
  const bool named = hosts.size() > 1 || !hosts[0].empty();
  const bool numbered = addresses.size() > 1 || !addresses[0].empty();
  const std::size_t count = numbered ? addresses.size() : hosts.size();
  if (numbered && named && hosts.size() != count) {
    return wrong(error, {"url: host and hostaddr must have the same number of entries"});
  }
  if (ports.size() != 1 && ports.size() != count) {
    return wrong(error, {"url: port must have one entry, or one for each host"});
  }
  for (std::size_t i = 0; i < count; ++i) {
    Endpoint endpoint;
    if (named) endpoint.host = hosts[i];
    if (numbered) endpoint.address = addresses[i];
    endpoint.port = ports.size() == 1 ? ports[0] : ports[i];
    const auto port = backend::parse_integer(endpoint.port.empty() ? "5432" : endpoint.port);
    if (!port || *port < 1 || *port > 65535) {
      return wrong(
          error,
          {"url: port must be a number from 1 to 65535; a ':' or '@' in a password is written "
           "%3A or %40"});
    }
    config.endpoints.push_back(std::move(endpoint));
  }
  return WEIR_OK;
}

Target parse_target(std::string_view word) {
  struct Name {
    std::string_view word;
    Target target;
  };
  constexpr Name names[] = {{"read-write", Target::read_write},
                            {"read-only", Target::read_only},
                            {"primary", Target::primary},
                            {"standby", Target::standby},
                            {"prefer-standby", Target::prefer_standby}};
  for (const Name& name : names) {
    if (word == name.word) return name.target;
  }
  return Target::any;
}

// An option that was given and says something else than the url is a mistake; its default is not.
weir_status merge_options(const weir_source_args& args, Info& url, Config& config,
                          weir_error* error) {
  for (const weir_option_spec& spec : specs) {
    if (std::strcmp(spec.key, "endpoint_timeout") == 0) continue;
    const std::string_view given = backend::option_value(args, specs, std::size(specs), spec.key);
    const bool is_default = spec.default_value != nullptr && given == spec.default_value;
    const std::string_view in_url = value_of(url, spec.key);
    if (!in_url.empty()) {
      if (is_default || given.empty() || given == in_url) continue;
      return wrong(error, {"the url has ", spec.key, "= and the option ", spec.key,
                           " says something else: keep one of them"});
    }
    if (given.empty()) continue;
    // libpq reads defaults of these from the environment, which the user's word shall win over.
    if (is_default && std::strcmp(spec.key, "application_name") != 0) continue;
    PQconninfoOption* place = find(url.get(), spec.key);
    if (place == nullptr) {
      return wrong(error, {"this libpq does not know the option '", spec.key, "'"});
    }
    config.parameters.emplace_back(is_default ? "fallback_application_name" : spec.key,
                                   std::string(given));
  }
  return WEIR_OK;
}

std::string from_base(const weir_source_args& args, std::string path) {
  const std::string_view base = backend::view(args.base_dir);
  if (path.empty() || path[0] == '/' || base.empty()) return path;
  return std::string(base) + "/" + path;
}

weir_status take_parameters(const weir_source_args& args, const Info& url, Config& config,
                            weir_error* error) {
  constexpr std::string_view ours[] = {
      "host", "hostaddr", "port", "target_session_attrs", "connect_timeout", "client_encoding"};
  for (const PQconninfoOption* o = url.get(); o->keyword != nullptr; ++o) {
    if (o->val == nullptr || o->val[0] == '\0') continue;
    for (const Refused& line : refused) {
      if (line.keyword == o->keyword) {
        return wrong(error, {"url: ", line.keyword, "= is not accepted: ", line.why});
      }
    }
    if (std::find(std::begin(ours), std::end(ours), o->keyword) != std::end(ours)) continue;
    config.parameters.emplace_back(o->keyword, o->val);
  }
  for (auto& [key, value] : config.parameters) {
    if (std::find(std::begin(files), std::end(files), key) == std::end(files)) continue;
    if (key == "sslrootcert" && value == "system") continue;  // what the machine trusts, no file
    value = from_base(args, value);
  }
  // Kerberos would be asked in a way that no deadline can end, unless the url wants it.
  if (value_of(url, "gssencmode").empty()) config.parameters.emplace_back("gssencmode", "disable");
  // Cells are UTF-8.
  const std::string_view encoding = value_of(url, "client_encoding");
  if (!encoding.empty() && encoding != "UTF8" && encoding != "utf8" && encoding != "UTF-8") {
    return wrong(error, {"url: client_encoding must be UTF8: a host's texts are"});
  }
  config.parameters.emplace_back("client_encoding", "UTF8");
  return WEIR_OK;
}

weir_status take_timeouts(const weir_source_args& args, std::string_view connect_timeout,
                          Config& config, weir_error* error) {
  config.endpoint_timeout_ns = *backend::parse_duration(
      backend::option_value(args, specs, std::size(specs), "endpoint_timeout"));
  if (connect_timeout.empty() || config.endpoint_timeout_ns > 0) return WEIR_OK;
  const auto seconds = backend::parse_integer(connect_timeout);
  if (!seconds || *seconds > 1'000'000) {
    return wrong(error, {"url: connect_timeout must be a number of seconds"});
  }
  if (*seconds > 0) config.endpoint_timeout_ns = *seconds * 1'000'000'000;
  return WEIR_OK;
}

std::string display_of(const Info& url, const Config& config) {
  std::string text = "postgresql://";
  const std::string_view user = value_of(url, "user");
  if (!user.empty()) text += std::string(user) + "@";
  bool first = true;
  for (const Endpoint& endpoint : config.endpoints) {
    if (!first) text += ",";
    first = false;
    text += endpoint.host.empty() ? endpoint.address : endpoint.host;
    if (!endpoint.port.empty()) text += ":" + endpoint.port;
  }
  return text + "/" + std::string(value_of(url, "dbname"));
}

}  // namespace

std::span<const weir_option_spec> option_specs() noexcept { return specs; }

weir_status parse_config(const weir_source_args& args, Config& config, weir_error* error) {
  if (const auto bad = backend::check_options(args, specs, std::size(specs), error)) return bad;
  Info url;
  if (const auto bad = parse_url(backend::view(args.url), url, error)) return bad;
  const Info defaults(PQconndefaults());
  if (defaults == nullptr) {
    return wrong(error, {"libpq cannot read its defaults: look at PGSERVICE and its file"});
  }
  if (const auto bad = list_endpoints(url, defaults, config, error)) return bad;
  if (const auto bad = merge_options(args, url, config, error)) return bad;
  if (const auto bad = check_choices(args, url, defaults, error)) return bad;
  std::string_view target = effective(url, defaults, "target_session_attrs");
  const std::string_view wanted =
      backend::option_value(args, specs, std::size(specs), "target_session_attrs");
  if (wanted != "any") target = wanted;
  config.target = parse_target(target);
  if (const auto bad =
          take_timeouts(args, effective(url, defaults, "connect_timeout"), config, error)) {
    return bad;
  }
  std::erase_if(config.parameters, [](const auto& p) { return p.first == "target_session_attrs"; });
  config.display = display_of(url, config);
  return take_parameters(args, url, config, error);
}

}  // namespace weir::postgres
