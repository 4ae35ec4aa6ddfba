// SPDX-License-Identifier: MIT
#include "core/config/parse.hpp"

#include "core/base/text.hpp"
#include "core/config/diagnostic.hpp"
#include "core/config/file_text.hpp"
#include "core/config/reader.hpp"

#include <cstdlib>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

namespace weir::config {
namespace {

// Far beyond any real file; a log or a database that was named by mistake ends here.
constexpr std::size_t file_bytes_max = 1024 * 1024;

Error syntax_error(Source& source, const SyntaxError& error) {
  source.hide_unparsed(error.place);
  Diagnostic fault{Code::config_syntax, error.place, "TOML syntax: " + error.reason, {}, {}};
  if (error.reason == text_without_quotes) fault.label = "text needs quotes";
  if (error.reason.find("escape sequence") != std::string::npos)
    fault.label = "put such text in 'single quotes'";
  return to_error(source, {std::move(fault)});
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

Result<ParsedConfig> parse(const ParseInput& input) {
  std::string_view text = input.text;
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  if (text.size() > file_bytes_max)
    return fail(Code::config_unreadable, fmt::format("{} is larger than {} KiB",
                                                     printable(input.name), file_bytes_max / 1024));
  Source source(input.name, text);
  auto root = read_toml(text);
  if (!root) return fail(syntax_error(source, root.error()));

  hide_secrets(*root, source);
  Reader reader(input.name, input.base_dir, input.environment);
  reader.read(*root);
  if (!reader.faults().empty()) return fail(to_error(source, std::move(reader.faults())));
  return std::move(reader.result());
}

Result<ParsedConfig> parse_file(std::string_view path, Environment environment) {
  const std::string name(path);
  auto text = read_file_text(name, file_bytes_max, Privacy::any);
  if (!text) {
    const bool missing = text.error() == "does not exist";
    return fail(
        Code::config_unreadable,
        fmt::format("the configuration file {} {}{}", name.empty() ? "\"\"" : printable(name),
                    text.error(), missing ? "; `weir init` writes a first one" : ""));
  }
  std::string parent = std::filesystem::path(name).parent_path().string();
  if (parent.empty()) parent = ".";
  return parse({*text, path, parent, std::move(environment)});
}

std::string describe(const Origins& origins, std::string_view key, std::string_view file) {
  const auto found = origins.find(key);
  if (found == origins.end()) return "default";
  const Origin& origin = found->second;
  std::string place = fmt::format("{}:{}", file, origin.place.line);
  switch (origin.from) {
    case Origin::From::file:
      return place;
    case Origin::From::environment:
      return fmt::format("env {} ({})", origin.name, place);
    case Origin::From::secret_file:
      return fmt::format("file {} ({})", origin.name, place);
    case Origin::From::url:
      return fmt::format("URL parameter {} ({})", origin.name, place);
  }
  return place;
}

}  // namespace weir::config

namespace weir {

Result<Config> Config::from_file(std::string_view path) {
  return config::parse_file(path).map(
      [](config::ParsedConfig&& parsed) { return std::move(parsed.config); });
}

Result<Config> Config::from_string(std::string_view toml, std::string_view name,
                                   std::string_view base_dir) {
  config::ParseInput input;
  input.text = toml;
  input.name = name;
  input.base_dir = base_dir;
  return config::parse(input).map(
      [](config::ParsedConfig&& parsed) { return std::move(parsed.config); });
}

namespace {

// `what` begins every line.
Result<void> result_of(const std::vector<config::Finding>& findings, const std::string& what) {
  if (findings.empty()) return {};
  std::string message;
  for (const config::Finding& finding : findings) {
    message += fmt::format("{}{}: {}", message.empty() ? "" : "\n", what, finding.message);
    if (!finding.value.empty()) message += fmt::format(", not {}", printable(finding.value));
    if (!finding.help.empty()) message += fmt::format(" ({})", finding.help);
  }
  const Code code = findings.size() == 1 ? findings.front().code : Code::config_many;
  return fail(code, std::move(message));
}

}  // namespace

Result<void> validate(const PoolConfig& pool) {
  using config::Finding;
  std::vector<Finding> findings = config::check_pool(pool);
  if (!config::is_pool_name(pool.name))
    findings.insert(findings.begin(), Finding{Code::config_value,
                                              {"name"},
                                              "`name` cannot be the name of a pool",
                                              std::string(config::pool_name_rule),
                                              {}});
  return result_of(findings, "pool " + printable(pool.name));
}

Result<void> validate(const RetryPolicy& policy) {
  return result_of(config::check_retry(policy), "retry policy");
}

}  // namespace weir
