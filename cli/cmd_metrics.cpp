// SPDX-License-Identifier: MIT
//
// weir metrics: what is made from the table of metrics (weir/metrics.hpp), so that no name in a
// dashboard, an alert or the documentation can differ from what a pool publishes.
#include "cli/command.hpp"
#include "cli/context.hpp"

#include <weir/metrics.hpp>

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view pool_label = "db_client_connection_pool_name";

// The Prometheus name of a metric of the table.
std::string name_of(std::string_view metric) {
  for (const MetricInfo& info : all_metrics()) {
    if (info.name == metric) return prometheus_name(info);
  }
  throw std::logic_error(fmt::format("there is no metric '{}'", metric));
}

// ---------------------------------------------------------------- the table

std::string unit_of(const MetricInfo& info) { return std::string(info.unit); }

Json table_json() {
  Json all = Json::array();
  for (const MetricInfo& info : all_metrics()) {
    all.push_back({{"name", std::string(info.name)},
                   {"prometheus", prometheus_name(info)},
                   {"kind", std::string(to_string(info.kind))},
                   {"unit", unit_of(info)},
                   {"label", info.label.empty() ? Json() : Json(std::string(info.label))},
                   {"help", std::string(info.help)}});
  }
  return {{"metrics", all}};
}

std::string table_markdown() {
  std::string text =
      "| metric | kind | unit | differs in | what it says |\n|---|---|---|---|---|\n";
  for (const MetricInfo& info : all_metrics()) {
    text += fmt::format("| `{}`<br>`{}` | {} | {} | {} | {} |\n", info.name, prometheus_name(info),
                        to_string(info.kind), info.unit,
                        info.label.empty() ? "" : fmt::format("`{}`", info.label), info.help);
  }
  return text;
}

// ---------------------------------------------------------------- the dashboard

struct Query {
  std::string expr;
  std::string legend;
};

constexpr std::string_view chosen = R"({db_client_connection_pool_name=~"$pool"})";

std::vector<Query> queries_of(const MetricInfo& info) {
  const std::string name = prometheus_name(info);
  std::string label(info.label);
  std::replace(label.begin(), label.end(), '.', '_');
  const std::string legend = fmt::format("{{{{{}}}}}{}", pool_label,
                                         label.empty() ? "" : fmt::format(" {{{{{}}}}}", label));
  switch (info.kind) {
    case MetricKind::gauge:
      return {{fmt::format("{}{}", name, chosen), legend}};
    case MetricKind::counter:
      return {{fmt::format("rate({}{}[$__rate_interval])", name, chosen), legend}};
    case MetricKind::histogram:
      break;
  }
  std::vector<Query> quantiles;
  for (const auto& [q, title] : {std::pair{"0.5", "p50"}, std::pair{"0.99", "p99"}}) {
    quantiles.push_back(
        {fmt::format(
             "histogram_quantile({}, sum by (le, {}) (rate({}_bucket{}[$__rate_interval])))", q,
             pool_label, name, chosen),
         fmt::format("{} {}", legend, title)});
  }
  return quantiles;
}

Json panel(int number, const MetricInfo& info) {
  constexpr int columns = 3;
  constexpr int width = 8;
  constexpr int height = 7;
  Json targets = Json::array();
  char ref = 'A';
  for (const Query& query : queries_of(info)) {
    targets.push_back(
        {{"refId", std::string(1, ref++)}, {"expr", query.expr}, {"legendFormat", query.legend}});
  }
  const std::string unit = info.unit == "s"                   ? "s"
                           : info.kind == MetricKind::counter ? "cps"
                                                              : "short";
  return {
      {"id", number + 1},
      {"type", "timeseries"},
      {"title", std::string(info.name)},
      {"description", std::string(info.help)},
      {"datasource", {{"type", "prometheus"}, {"uid", "${datasource}"}}},
      {"gridPos",
       {{"h", height},
        {"w", width},
        {"x", number % columns * width},
        {"y", number / columns * height}}},
      {"fieldConfig", {{"defaults", {{"unit", unit}, {"min", 0}}}, {"overrides", Json::array()}}},
      {"targets", targets}};
}

Json dashboard() {
  Json panels = Json::array();
  int number = 0;
  for (const MetricInfo& info : all_metrics()) {
    if (info.name != "weir.pool.info") panels.push_back(panel(number++, info));
  }
  const Json datasource = {{"name", "datasource"}, {"type", "datasource"}, {"query", "prometheus"}};
  const Json pool = {
      {"name", "pool"},
      {"type", "query"},
      {"datasource", {{"type", "prometheus"}, {"uid", "${datasource}"}}},
      {"query", fmt::format("label_values({}, {})", name_of("weir.pool.info"), pool_label)},
      {"includeAll", true},
      {"multi", true},
      {"current", {{"text", "All"}, {"value", "$__all"}}}};
  return {{"title", "Weir connection pools"},
          {"uid", "weir-pools"},
          {"schemaVersion", 37},
          {"editable", true},
          {"refresh", "30s"},
          {"time", {{"from", "now-1h"}, {"to", "now"}}},
          {"templating", {{"list", Json::array({datasource, pool})}}},
          {"panels", panels}};
}

// ---------------------------------------------------------------- the alerts

struct Alert {
  std::string name;
  std::string expr;
  std::string_view after;  // true for so long
  std::string_view severity;
  std::string_view summary;
  std::string_view description;
};

std::vector<Alert> alerts() {
  const std::string timeouts = name_of("db.client.connection.timeouts");
  const std::string pending = name_of("db.client.connection.pending_requests");
  const std::string failures = name_of("weir.connection.open_failures");
  const std::string opened = name_of("weir.connection.opened");
  const std::string overdue = name_of("weir.lease.overdue");
  return {
      {"WeirAcquireTimeouts", fmt::format("increase({}[5m]) > 0", timeouts), "1m", "critical",
       "callers get no connection in time",
       "The error in the log (W301) names who holds the connections; `weir explain W301`."},
      {"WeirDatabaseUnreachable",
       fmt::format("increase({}[5m]) > 0 and sum without (reason) (increase({}[5m])) == 0",
                   failures, opened),
       "2m", "critical", "every attempt to connect fails",
       "`last_create_error` in the pool's JSON says why; `weir doctor` tries each step."},
      {"WeirCallersWait", fmt::format("min_over_time({}[5m]) > 0", pending), "5m", "warning",
       "callers have been waiting for connections all the time",
       "The pool is too small for the load, or connections are held for too long."},
      {"WeirLeasesOverdue", fmt::format("increase({}[15m]) > 0", overdue), "0m", "warning",
       "connections are held for longer than hold_warn",
       "The log names the place that took them: a leak, or a slow transaction."},
  };
}

std::string summary_of(const Alert& alert) {
  return fmt::format("{{{{ $labels.{} }}}}: {}", pool_label, alert.summary);
}

// The same rules as alerts_yaml(), for programs; Prometheus takes them, too, as JSON is YAML.
Json alerts_json() {
  Json rules = Json::array();
  for (const Alert& alert : alerts()) {
    rules.push_back(
        {{"alert", alert.name},
         {"expr", alert.expr},
         {"for", std::string(alert.after)},
         {"labels", {{"severity", std::string(alert.severity)}}},
         {"annotations",
          {{"summary", summary_of(alert)}, {"description", std::string(alert.description)}}}});
  }
  const Json group = {{"name", "weir"}, {"rules", rules}};
  return {{"groups", Json::array({group})}};
}

std::string alerts_yaml() {
  std::string text =
      "# Alert rules for Prometheus. Made by: weir metrics alerts\n"
      "groups:\n  - name: weir\n    rules:\n";
  for (const Alert& alert : alerts()) {
    text += fmt::format(
        "      - alert: {}\n        expr: {}\n        for: {}\n        labels:\n"
        "          severity: {}\n        annotations:\n"
        "          summary: \"{}\"\n          description: \"{}\"\n",
        alert.name, alert.expr, alert.after, alert.severity, summary_of(alert), alert.description);
  }
  return text;
}

#ifndef WEIR_WITH_HTTPLIB
int refuse_to_serve(Context& context) {
  return context.fail({Code::unsupported,
                       "this weir cannot serve the page: it was built without cpp-httplib\n"
                       "(Debian: libcpp-httplib-dev; Meson: -Dhttplib=enabled)"});
}
#endif

}  // namespace

int run_metrics(Context& context) {
  if (context.has("--listen")) {
#ifdef WEIR_WITH_HTTPLIB
    return serve_metrics(context);
#else
    return refuse_to_serve(context);
#endif
  }
  for (const char* option : {"--socket", "--timeout"}) {
    if (context.has(option)) {
      return context.usage_error(fmt::format("{} is for --listen: lists ask no program", option));
    }
  }
  const std::string what = context.has("WHAT") ? context.text("WHAT") : "list";
  if (what == "list") {
    if (context.global.json) {
      context.json(table_json());
    } else {
      context.out.data(table_markdown());
    }
  } else if (what == "dashboard") {
    context.out.data(dashboard().dump(2) + "\n");
  } else if (what == "alerts") {
    if (context.global.json) {
      context.json(alerts_json());
    } else {
      context.out.data(alerts_yaml());
    }
  } else {
    return context.usage_error(fmt::format(
        "there is nothing called '{}' to print; it is list, dashboard or alerts", what));
  }
  return exit_ok;
}

}  // namespace weir::cli
