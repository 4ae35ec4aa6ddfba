// SPDX-License-Identifier: MIT
#include "backends/sqlite/config.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>

namespace weir::sqlite {
namespace {

using backend::fail;
using backend::option;

constexpr weir_option_spec specs[] = {
    option("mode", WEIR_OPT_CHOICE, "rwc", "rwc|rw|ro",
           "rwc creates the file if it is missing, rw wants it to exist, ro never writes; a mode= "
           "in the url wins over the default"),
    option("journal_mode", WEIR_OPT_CHOICE, "wal", "wal|delete|truncate|persist|memory|off",
           "how commits are made durable; wal lets readers and a writer work at once; not applied "
           "to in-memory databases and with mode ro"),
    option("synchronous", WEIR_OPT_CHOICE, "normal", "off|normal|full|extra",
           "when to wait for the disk; with wal, normal cannot corrupt the file but a power "
           "failure may undo the last commits; full keeps them"),
    option("busy_timeout", WEIR_OPT_DURATION, "5s", nullptr,
           "how long a statement waits for somebody else's lock, within the deadline of the call; "
           "0 fails at once"),
    option("foreign_keys", WEIR_OPT_BOOLEAN, "true", nullptr,
           "whether foreign key constraints are enforced; SQLite itself leaves them off"),
};

// A url cut into its parts. For a plain path, everything is the path.
struct Url {
  std::string path;
  std::string_view query;  // without '?'
  bool uri = false;
};

// Of a url only the scheme and names of parameters are repeated: it may be another database's, or
// that of a SQLite that takes a key.
weir_status wrong(weir_error* error, std::initializer_list<std::string_view> text) {
  return fail(error, {.kind = WEIR_E_CONFIG}, text);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// %41 -> A, as SQLite does it: what is no escape stays as it is.
std::string decode(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '%' && i + 2 < s.size() && hex_digit(s[i + 1]) >= 0 && hex_digit(s[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2]));
      i += 2;
    } else {
      out += s[i];
    }
  }
  return out;
}

struct Parameter {
  std::string key;
  std::string value;
};

// SQLite ends a key or a value at %00.
std::string decode_word(std::string_view s) {
  std::string word = decode(s);
  word.resize(std::min(word.find('\0'), word.size()));
  return word;
}

// Takes the next key=value off `query`.
std::optional<Parameter> next_parameter(std::string_view& query) {
  while (!query.empty()) {
    const std::size_t amp = query.find('&');
    const std::string_view pair = query.substr(0, amp);
    query = amp == std::string_view::npos ? "" : query.substr(amp + 1);
    if (pair.empty()) continue;
    const std::size_t eq = pair.find('=');
    return Parameter{decode_word(pair.substr(0, eq)),
                     eq == std::string_view::npos ? "" : decode_word(pair.substr(eq + 1))};
  }
  return std::nullopt;
}

const char* forbidden_parameter(const Parameter& p) {
  if (p.key == "vfs") {
    return "the parameter vfs= is not accepted: it would replace the file system layer that the "
           "host chose for the whole process";
  }
  if (p.key == "cache" && p.value == "shared") {
    return "the parameter cache=shared is not accepted: connections that share a cache ignore the "
           "busy timeout and block each other; the default journal mode wal does what it is "
           "wanted for";
  }
  return nullptr;
}

weir_status split_uri(std::string_view rest, Url& parts, weir_error* error) {
  parts.uri = true;
  rest = rest.substr(0, rest.find('#'));
  const std::size_t mark = rest.find('?');
  if (mark != std::string_view::npos) parts.query = rest.substr(mark + 1);
  rest = rest.substr(0, mark);
  if (rest.starts_with("//")) {
    const std::size_t slash = rest.find('/', 2);
    const std::string_view authority =
        rest.substr(2, slash == std::string_view::npos ? slash : slash - 2);
    if (!authority.empty() && authority != "localhost") {
      return wrong(error, {"the url names a host, but SQLite is a file: write "
                           "sqlite:///absolute/path.db, or sqlite:relative/path.db"});
    }
    rest = slash == std::string_view::npos ? "" : rest.substr(slash);
  }
  parts.path = decode(rest);
  return WEIR_OK;
}

weir_status split(std::string_view url, Url& parts, weir_error* error) {
  if (url.starts_with("file:")) return split_uri(url.substr(5), parts, error);
  if (url.starts_with("sqlite:")) return split_uri(url.substr(7), parts, error);
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) {
    return wrong(error, {"url scheme '", url.substr(0, scheme),
                         "' is not SQLite's: write sqlite:///absolute/path.db, file:app.db, a "
                         "plain path or :memory:"});
  }
  const std::size_t mark = url.find('?');
  if (mark != std::string_view::npos) {
    return wrong(error, {"a plain path takes no parameters; write file: before it"});
  }
  parts.path = std::string(url);
  return WEIR_OK;
}

std::optional<Mode> parse_mode(std::string_view word) {
  if (word == "rwc") return Mode::read_write_create;
  if (word == "rw") return Mode::read_write;
  if (word == "ro") return Mode::read_only;
  return std::nullopt;
}

// mode=, immutable= and cache=private; everything else is refused by name.
weir_status apply_query(std::string_view query, Config& config, std::string& mode,
                        weir_error* error) {
  while (auto p = next_parameter(query)) {
    if (const char* why = forbidden_parameter(*p)) return wrong(error, {"url: ", why});
    if (p->key == "mode" && p->value == "memory") {
      config.memory = true;
    } else if (p->key == "mode" && parse_mode(p->value)) {
      mode = p->value;
    } else if (p->key == "immutable" && (p->value == "1" || p->value == "0")) {
      config.immutable = p->value == "1";
    } else if (!(p->key == "cache" && p->value == "private")) {
      // Without a value the name may be the rest of a password that holds a '?'.
      const std::string which = p->value.empty() ? "a parameter" : "the parameter '" + p->key + "'";
      return wrong(error, {"url: ", which,
                           " is not understood; a SQLite url takes mode=rwc|rw|ro|memory, "
                           "immutable=1 and cache=private"});
    }
  }
  return WEIR_OK;
}

// The option's default gives way to the url; two explicit words that differ are a mistake.
weir_status settle_mode(std::string_view in_url, std::string_view in_option, Config& config,
                        weir_error* error) {
  if (!in_url.empty() && in_option != "rwc" && in_url != in_option) {
    return wrong(error, {"the url says mode=", in_url, " and the option mode says '", in_option,
                         "': keep one of them"});
  }
  std::string_view word = in_url.empty() ? in_option : in_url;
  if (config.immutable) {
    if (word == "rw" || in_url == "rwc") {
      return wrong(error, {"immutable=1 means that nobody writes: it needs mode=ro, not ", word});
    }
    word = "ro";
  }
  config.mode = *parse_mode(word);
  return WEIR_OK;
}

weir_status place(const weir_source_args& args, const Url& parts, Config& config,
                  weir_error* error) {
  if (parts.path == ":memory:") config.memory = true;
  if (config.memory) {
    config.path = config.display = ":memory:";
    return WEIR_OK;
  }
  if (parts.path.empty()) {
    return wrong(error, {"the url names no file; write file:app.db, sqlite:///absolute/path.db, a "
                         "plain path or :memory:"});
  }
  if (parts.path.find('\0') != std::string::npos) {
    return wrong(error, {"the url contains a NUL byte"});
  }
  namespace fs = std::filesystem;
  const fs::path base{std::string(backend::view(args.base_dir))};
  const fs::path path{parts.path};
  config.path = path.is_absolute() ? path.string() : fs::absolute(base / path).string();
  config.display = "sqlite:" + config.path;
  return WEIR_OK;
}

}  // namespace

std::span<const weir_option_spec> option_specs() noexcept { return specs; }

weir_status parse_config(const weir_source_args& args, Config& config, weir_error* error) {
  if (const auto bad = backend::check_options(args, specs, std::size(specs), error)) return bad;
  const auto value = [&args](std::string_view key) {
    return backend::option_value(args, specs, std::size(specs), key);
  };
  Url parts;
  std::string mode;
  const std::string_view url = backend::view(args.url);
  if (url.find('\0') != std::string_view::npos) {
    return wrong(error, {"the url contains a NUL byte"});
  }
  if (const auto bad = split(url, parts, error)) return bad;
  if (const auto bad = apply_query(parts.query, config, mode, error)) return bad;
  if (const auto bad = place(args, parts, config, error)) return bad;
  if (const auto bad = settle_mode(mode, value("mode"), config, error)) return bad;
  config.journal_mode = value("journal_mode");
  config.synchronous = value("synchronous");
  config.busy_timeout_ns = *backend::parse_duration(value("busy_timeout"));
  config.foreign_keys = *backend::parse_boolean(value("foreign_keys"));
  return WEIR_OK;
}

const char* forbidden_file_name(std::string_view name) {
  if (!name.starts_with("file:")) return nullptr;
  const std::size_t mark = name.find('?');
  if (mark == std::string_view::npos) return nullptr;
  std::string_view query = name.substr(mark + 1, name.find('#', mark) - mark - 1);
  while (auto p = next_parameter(query)) {
    if (const char* why = forbidden_parameter(*p)) return why;
  }
  return nullptr;
}

}  // namespace weir::sqlite
