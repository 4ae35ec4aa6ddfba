// SPDX-License-Identifier: MIT
//
// No secret in any output. A random secret is planted in every place that may hold one, faults of
// every kind are provoked around it, and everything that a user can see is searched for it.
#include "core/config/diff.hpp"
#include "core/config/driver_options.hpp"
#include "core/config/show.hpp"
#include "tests/config/support.hpp"

#include <array>
#include <string>
#include <vector>

#include <rapidcheck/gtest.h>

namespace weir::config {
namespace {

// Rapidcheck reads this once, before the first property.
const bool scaled = [] {
  const char* scale = std::getenv("WEIR_TEST_SCALE");
  const bool full = scale != nullptr && std::string_view(scale) == "full";
  return ::setenv("RC_PARAMS", full ? "max_success=3000" : "max_success=300", 0) == 0;
}();

// Long enough not to occur by chance, and without characters that would end a TOML string or make a
// path of it: a word with a slash or a dot under `url` is a file, which is shown.
rc::Gen<std::string> secrets() {
  const auto letters = rc::gen::container<std::string>(
      12, rc::gen::elementOf(std::string("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789_~!*@")));
  return rc::gen::map(letters, [](const std::string& text) { return "Q" + text + "Q"; });
}

// Lines with a place for the secret, marked @. Each is right by itself or wrong by itself.
constexpr std::array<std::string_view, 30> lines{
    "url = \"postgres://user:@@host/db\"",
    "url = 'postgres://user:@@host/db?pool_timeout=x'",
    "url = \"postgres://host/db?password=@&connection_limit=7\"",
    "url = \"@\"",
    "url = { env = \"SECRET\" }",
    "url = { env = \"NO_SUCH\", default = \"@\" }",
    "url = { file = \"secret\" }",
    "url = { env = \"SECRET_URL\" }",
    "url = [\"@\"]",
    "url = \"\"\"\n@\n\"\"\"",
    "url = \"\"\"\nx @ = 1 \"\"\" # @",
    "init_sql = [\"PRAGMA key = '@'\"]",
    "init_sql = [\"\", \"@\"]",
    "init_sql = { env = \"SECRET\" }",
    "password = \"@\"",
    "passwd = { value = \"@\" }",
    "jdbcUrl = \"jdbc:@\"",
    "urll = \"@\"",
    "Url = '@'",
    "max = 0 # @",
    "max = { env = \"SECRET\" }",
    "acquire_timeout = { env = \"SECRET\" }",
    "reset = { env = \"SECRET\" }",
    "log = { env = \"SECRET\" }",
    "driver = \"postgres://u:@@h\"",
    "min = { env = \"SECRET\", dflt = \"@\" }",
    "options = \"@\"",
    "max = \"password=@\"",
    "connectionTestQuery = \"@\"",
    "unknown = [1, { a = \"@\" }, '@']",
};

constexpr std::array<std::string_view, 8> option_lines{
    "password = \"@\"",           "token = [\"@\"]",
    "key = { env = \"SECRET\" }", "file = { file = \"secret\" }",
    "x = { y = \"@\" }",          "pw = { env = \"NO_SUCH\", default = '@' }",
    "date = 2020-01-01 # @",      "multi = '''\n@'''",
};

constexpr std::array<std::string_view, 9> endings{
    "",
    "max = 0",
    "min = 99",
    "idle_timout = \"1s\"",
    "[pool.main.health]",
    "[pols]\nx = '@'",
    "x = @",
    "x = \"@",
    "[drivers]\nserach = ['@']\n[drivers.sqlite]\npassword = '@'",
};

std::string planted(std::string_view text, const std::string& secret) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    // "@@" is a secret and then an at sign: user:secret@host.
    if (text[i] != '@') {
      out += text[i];
    } else {
      out += secret;
      if (i + 1 < text.size() && text[i + 1] == '@') {
        out += '@';
        ++i;
      }
    }
  }
  return out;
}

void must_not_hold(const std::string& output, const std::string& secret, const std::string& text) {
  if (output.find(secret) == std::string::npos) return;
  RC_LOG() << "file:\n" << text << "\noutput:\n" << output << "\n";
  RC_FAIL("the secret is shown");
}

void check_outputs(const std::string& text, const std::string& secret, const ScratchDir& dir) {
  const auto parsed = parse_with(
      text, {{"SECRET", secret}, {"SECRET_URL", "mysql://u:" + secret + "@h/d?connect_timeout=x"}},
      dir.path());
  RC_CLASSIFY(parsed.has_value(), "accepted");
  if (!parsed) {
    must_not_hold(parsed.error().what(), secret, text);
    must_not_hold(parsed.error().message(), secret, text);
    return;
  }
  must_not_hold(show(*parsed, true), secret, text);
  must_not_hold(show(*parsed, false), secret, text);
  for (const auto& [name, pool] : parsed->config.pools) {
    PoolConfig wrong = pool;
    wrong.max = 0;
    wrong.driver = secret;
    must_not_hold(validate(wrong).error().what(), secret, text);
  }
}

RC_GTEST_PROP(Secrets, never_appear, ()) {
  const ScratchDir dir;
  const std::string secret = *secrets();
  dir.write("secret", secret + "\n", *rc::gen::element(0600u, 0644u));
  const auto some = *rc::gen::resize(
      3, rc::gen::container<std::vector<std::string_view>>(rc::gen::elementOf(lines)));
  const auto options = *rc::gen::resize(
      2, rc::gen::container<std::vector<std::string_view>>(rc::gen::elementOf(option_lines)));
  std::string text = "version = 1\n[pool.main]\n";
  if (*rc::gen::arbitrary<bool>()) text += "driver = \"sqlite\"\n";
  for (const std::string_view line : some) text += planted(line, secret) + "\n";
  text += planted(*rc::gen::elementOf(endings), secret) + "\n";
  if (!options.empty()) text += "[pool.main.options]\n";
  for (const std::string_view line : options) text += planted(line, secret) + "\n";
  check_outputs(text, secret, dir);
}

// Lines that are right, so that there is something to show.
constexpr std::array<std::string_view, 14> right_lines{
    "url = \"postgres://user:@@host/db\"",
    "url = \"postgres://user:@/?#@@host/db?mode=ro#@\"",
    "url = \"postgres://host/db?password=@&connection_limit=7&@\"",
    "url = \"host=h password=@\"",
    "url = \"host=db.example.com user=u password=@\"",
    "url = \"postgres://host:5432/db?user=u&password=@\"",
    "url = \"@\"",
    "url = { env = \"SECRET\" }",
    "url = { env = \"NO_SUCH\", default = \"mysql://:@@host\" }",
    "url = { file = \"secret\" }",
    "init_sql = [\"PRAGMA key = '@'\", \"@\", \"SET ROLE @\"]",
    "init_sql = { env = \"SECRET\" }",
    "[pool.main.options]\npassword = \"@\"\nkey = { file = \"secret\" }\nx = { env = \"SECRET\" }",
    "[pool.other]\ndriver = \"mock\"\nurl = \"mock://u:@@h\"",
};

RC_GTEST_PROP(Secrets, never_appear_in_what_is_shown, ()) {
  const ScratchDir dir;
  const std::string secret = *secrets();
  dir.write("secret", secret + "\n");
  const std::string text = in_pool("min = 1\n" + planted(*rc::gen::elementOf(right_lines), secret));
  const auto parsed = parse_with(text, {{"SECRET", secret}}, dir.path());
  RC_ASSERT(parsed.has_value());
  must_not_hold(show(*parsed, true), secret, text);
  must_not_hold(show(parsed->config), secret, text);
}

// Two secrets, the same place or two: what changed is said, and neither secret.
RC_GTEST_PROP(Secrets, never_appear_in_what_differs, ()) {
  const ScratchDir dir;
  const std::array<std::string, 2> secret{*secrets(), *secrets()};
  const auto first = *rc::gen::elementOf(right_lines);
  const auto second = *rc::gen::oneOf(rc::gen::just(first), rc::gen::elementOf(right_lines));
  const std::array<std::string, 2> text{in_pool("min = 1\n" + planted(first, secret[0])),
                                        in_pool("min = 2\n" + planted(second, secret[1]))};
  std::array<Config, 2> config;
  for (std::size_t i = 0; i < config.size(); ++i) {
    dir.write("secret", secret[i] + "\n");
    const auto parsed = parse_with(text[i], {{"SECRET", secret[i]}}, dir.path());
    RC_ASSERT(parsed.has_value());
    config[i] = parsed->config;
  }
  const Diff found = diff(config[0], config[1]);
  RC_CLASSIFY(found.changes.size() > 1, "beside `min`");
  for (const Change& change : found.changes) {
    for (const std::string& one : secret) {
      must_not_hold(change.before, one, text[0]);
      must_not_hold(change.after, one, text[1]);
      must_not_hold(to_text(change), one, text[0] + text[1]);
    }
  }
}

// Damage anywhere: the parser stops early, and nobody knows what the rest was.
RC_GTEST_PROP(Secrets, never_appear_in_syntax_errors, ()) {
  const ScratchDir dir;
  const std::string secret = *secrets();
  std::string text = "version = 1\n[pool.main]\ndriver = \"sqlite\"\n" +
                     planted(*rc::gen::elementOf(lines), secret) + "\n[pool.main.options]\n" +
                     planted(*rc::gen::elementOf(option_lines), secret) + "\n";
  const std::size_t at = *rc::gen::inRange<std::size_t>(0, text.size());
  // Not within the secret: half of it would be neither found nor secret.
  for (std::size_t found = text.find(secret); found != std::string::npos;
       found = text.find(secret, found + 1))
    RC_PRE(at <= found || at >= found + secret.size());
  const char damage = *rc::gen::elementOf(std::string("\"'=[]{}#\n,.\\x "));
  if (*rc::gen::arbitrary<bool>())
    text.insert(at, 1, damage);
  else
    text.erase(at, 1);
  // Damage that makes another valid file, "user:" become "user", has moved the secret elsewhere.
  const auto parsed = parse_with(text, {{"SECRET", secret}}, dir.path());
  RC_CLASSIFY(parsed.has_value(), "accepted");
  if (!parsed) must_not_hold(parsed.error().what(), secret, text);
}

RC_GTEST_PROP(Secrets, never_appear_in_errors_of_driver_options, ()) {
  const std::string secret = *secrets();
  static const weir_option_spec specs[] = {
      {sizeof(weir_option_spec), WEIR_OPT_STRING, WEIR_OPT_SECRET, 0, "password", nullptr, nullptr,
       ""},
      {sizeof(weir_option_spec), WEIR_OPT_INTEGER, 0, 0, "retries", nullptr, nullptr, ""},
      {sizeof(weir_option_spec), WEIR_OPT_DURATION, WEIR_OPT_SECRET, 0, "pause", nullptr, nullptr,
       ""},
      {sizeof(weir_option_spec), WEIR_OPT_BOOLEAN, 0, 0, "ssl", nullptr, nullptr, ""},
      {sizeof(weir_option_spec), WEIR_OPT_CHOICE, 0, 0, "mode", nullptr, "a|b", ""},
  };
  weir_info info{};
  info.struct_size = sizeof info;
  info.name = "test";
  info.options = specs;
  info.option_count = 5;
  info.option_stride = sizeof(weir_option_spec);
  const auto key =
      *rc::gen::element<std::string>("password", "retries", "pause", "ssl", "mode", "x");
  const std::string value = *rc::gen::element(secret, secret + std::string(1, '\0'), "5" + secret);
  const auto checked = check_driver_options({{key, Secret(value)}, {key, Secret(value)}}, info, {});
  RC_ASSERT(!checked.has_value());
  must_not_hold(checked.error().what(), secret, key);
}

}  // namespace
}  // namespace weir::config
