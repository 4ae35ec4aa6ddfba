// SPDX-License-Identifier: MIT
#include "cli/check/job.hpp"

#include <nlohmann/json.hpp>

namespace weir::check {

// Found by name by nlohmann's macros and templates.
void to_json(nlohmann::json& j, const Quirks& q) {
  j = {{"origin", q.origin},   {"url", q.url},     {"options", q.options},
       {"sql", q.sql},         {"echo", q.echo},   {"errors", q.errors},
       {"refused", q.refused}, {"setup", q.setup}, {"clean", q.clean}};
}

void from_json(const nlohmann::json& j, Quirks& q) {
  j.at("origin").get_to(q.origin);
  j.at("url").get_to(q.url);
  j.at("options").get_to(q.options);
  j.at("setup").get_to(q.setup);
  j.at("clean").get_to(q.clean);
  for (const auto& [key, value] : j.at("sql").items()) q.sql[key] = value;
  for (const auto& [key, value] : j.at("echo").items()) q.echo[key] = value;
  for (const auto& [key, value] : j.at("errors").items()) q.errors[key] = value;
  for (const auto& [key, value] : j.at("refused").items()) q.refused[key] = value;
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Job, rule, path, manifest, url, server, proxied_url, directory,
                                   seed, full, quirks)

std::string to_text(const Job& job) { return nlohmann::json(job).dump(); }

Job job_of(const std::string& text) { return nlohmann::json::parse(text).get<Job>(); }

}  // namespace weir::check
