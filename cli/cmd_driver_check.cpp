// SPDX-License-Identifier: MIT
//
// weir driver check: puts the rules of cli/check to a driver. This file reads what the user wants
// and prints what was found.
#include "cli/check/find.hpp"
#include "cli/check/plan.hpp"
#include "cli/check/report.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "core/base/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <sys/un.h>

#include <fmt/format.h>

namespace weir::cli {
namespace {

using check::Quirks;
using check::Wishes;

// What a source may be made of where nothing else is known: enough for the rules without a
// database.
std::string guessed_url(const check::Description& driver) {
  const std::string scheme = driver.url_schemes.substr(0, driver.url_schemes.find('|'));
  return scheme + ((driver.caps & WEIR_CAP_EMBEDDED) != 0 ? ":check" : "://localhost/check");
}

Result<Quirks> quirks_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    return fail(Code::config_unreadable,
                fmt::format("the quirks file {} cannot be read: {}", path, std::strerror(errno)));
  }
  auto quirks = check::parse_quirks(text.str(), path);
  if (!quirks) return fail(Code::config_syntax, quirks.error());
  return std::move(*quirks);
}

// Gates run whatever is included: without this a typing error would pass.
Result<void> check_include(const Wishes& wishes) {
  if (wishes.include.empty()) return {};
  unsigned reached_by = check::level_max + 1;
  for (const check::Rule& rule : check::rules()) {
    if (rule.id.find(wishes.include) != std::string_view::npos) {
      reached_by = std::min(reached_by, rule.level());
    }
  }
  if (reached_by <= wishes.level) return {};
  return fail(
      Code::invalid_argument,
      reached_by > check::level_max
          ? fmt::format("--include is '{}', which is in the id of no rule; `weir driver check "
                        "--list` shows them",
                        printable(wishes.include))
          : fmt::format("--include is '{}', and the rules with this in their id are above level "
                        "{}: give --level {}",
                        printable(wishes.include), wishes.level, reached_by));
}

// "/run/postgresql/.s.PGSQL.5432", "127.0.0.1:5432".
bool is_address(std::string_view text) {
  constexpr std::size_t path_max = sizeof(sockaddr_un::sun_path) - 1;
  if (text.starts_with('/')) return text.size() <= path_max;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  in_addr host{};
  const std::string port(text.substr(colon + 1));
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return error == std::errc() && end == port.data() + port.size() && number != 0 &&
         ::inet_pton(AF_INET, std::string(text.substr(0, colon)).c_str(), &host) == 1;
}

// The way to the server on which the kit makes faults: both options or none.
Result<void> read_way_to_server(const Context& context, check::Job& job) {
  job.server = context.text("--server");
  job.proxied_url = context.text("--proxied-dsn");
  const auto wrong = [](std::string text) { return fail(Code::invalid_argument, std::move(text)); };
  if (context.has("--server") != context.has("--proxied-dsn")) {
    return wrong("--server and --proxied-dsn belong together: give both");
  }
  if (!context.has("--server")) return {};
  if (!is_address(job.server)) {
    return wrong(
        fmt::format("--server is '{}', expected the path of a socket, or an IPv4 address "
                    "and a port as 127.0.0.1:5432",
                    printable(job.server)));
  }
  if (job.proxied_url.find("{port}") == std::string::npos) {
    return wrong("--proxied-dsn has no {port}: the kit puts the port of its faults there");
  }
  return {};
}

// Fills the job: which library, which quirks, which database. The driver is asked for its name in a
// process of its own, because that decides about the built-in quirks.
Result<Wishes> wishes_of(Context& context, const check::Target& target) {
  Wishes wishes;
  wishes.job.path = target.library;
  wishes.job.manifest = target.manifest;
  wishes.job.directory = "/";
  const auto seed = whole_number(context, "--seed", 1, 0, UINT64_MAX);
  if (!seed) return tl::unexpected(seed.error());
  wishes.job.seed = *seed;
  wishes.job.full = context.has("--full");
  wishes.include = context.text("--include");
  if (auto way = read_way_to_server(context, wishes.job); !way) return tl::unexpected(way.error());
  wishes.driver = check::describe_in_child(wishes.job, [&] { return context.interrupt.raised(); });
  if (context.has("--quirks")) {
    auto quirks = quirks_file(context.text("--quirks"));
    if (!quirks) return tl::unexpected(quirks.error());
    wishes.job.quirks = std::move(*quirks);
  } else if (wishes.driver) {
    auto quirks = check::builtin_quirks(wishes.driver->name);
    if (quirks) wishes.job.quirks = std::move(*quirks);
  }
  wishes.job.url = context.text("--dsn", wishes.job.quirks.url);
  wishes.has_database = !wishes.job.url.empty();
  if (!wishes.has_database && wishes.driver) wishes.job.url = guessed_url(*wishes.driver);
  const auto level =
      whole_number(context, "--level", wishes.has_database ? 3 : 2, 0, check::level_max);
  if (!level) return tl::unexpected(level.error());
  wishes.level = static_cast<unsigned>(*level);
  if (auto some = check_include(wishes); !some) return tl::unexpected(some.error());
  return wishes;
}

int list_rules(Context& context) {
  if (context.global.json) {
    context.json(check::rules_as_json());
  } else {
    context.out.data(check::rules_as_markdown());
  }
  return exit_ok;
}

bool write_junit(Context& context, const check::Findings& findings) {
  const std::string path = context.text("--junit");
  std::ofstream file(path);
  file << check::as_junit(findings);
  file.close();
  if (!file) {
    context.out.prose(fmt::format("weir: cannot write {}: {}\n", path, std::strerror(errno)));
  }
  return static_cast<bool>(file);
}

}  // namespace

int run_driver_check(Context& context) {
  if (context.has("--list")) return list_rules(context);
  if (!context.has("DRIVER")) {
    return context.usage_error(
        "DRIVER is missing: give a file or a name; see `weir help driver check`");
  }
  DriversConfig drivers;
  std::string base_dir = ".";
  if (auto places = driver_places(context, drivers, base_dir); !places) {
    return context.fail(places.error());
  }
  const auto target = check::find_target(context.text("DRIVER"), drivers, base_dir);
  if (!target) return context.fail(target.error());
  const auto wishes = wishes_of(context, *target);
  if (!wishes) {
    return wishes.error().code() == Code::invalid_argument
               ? context.usage_error(wishes.error().message())
               : context.fail(wishes.error());
  }
  const check::Findings findings = check::run_rules(
      *wishes, [&](const check::Rule& rule) { context.out.progress(rule.id); },
      [&] { return context.interrupt.raised(); });
  context.out.end_progress();
  if (context.global.json) {
    context.json(check::as_json(findings, *wishes));
  } else {
    context.out.data(check::as_text(
        findings, *wishes,
        context.global.verbose ? check::Detail::everything : check::Detail::broken_only,
        context.out));
  }
  const bool written = !context.has("--junit") || write_junit(context, findings);
  return findings.passed() && written ? exit_ok : exit_failed;
}

}  // namespace weir::cli
