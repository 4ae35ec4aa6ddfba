// SPDX-License-Identifier: MIT
#include "core/runtime/advice.hpp"

#include "core/runtime/session.hpp"

#include <algorithm>
#include <sys/resource.h>

namespace weir::runtime {

namespace {
constexpr Duration patience = std::chrono::seconds(1);
}

std::optional<observe::ServerFacts> facts_of_server(Session& session, std::string_view driver,
                                                    Instant deadline) {
  observe::ServerFacts server;
  detail::SessionRef ref;
  ref.deadline = std::min(deadline, after(session.now(), patience));
  for (const observe::Question& question : observe::questions(driver)) {
    const auto rows = session.query(ref, {question.sql});
    // Ignored: a server need not tell, and a connection that broke over it says so by itself.
    if (!rows) return std::nullopt;
    observe::note_answers(question, *rows, server);
  }
  return server;
}

std::vector<std::string> warnings(const PoolConfig& pool, const observe::ServerFacts& server,
                                  const observe::ProcessFacts& process) {
  std::vector<std::string> lines;
  for (const observe::Advice& advice : observe::advise(pool, server, process)) {
    if (advice.grade != observe::Advice::Grade::warn) continue;
    lines.push_back(advice.key + ": " + advice.reason + "; better: " + advice.fix);
  }
  return lines;
}

Error broken_by_question() {
  return {Code::connection_lost, "the connection broke when its server was asked what it allows"};
}

observe::ProcessFacts facts_of_process(const Config& config) {
  observe::ProcessFacts facts;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    facts.descriptors_max = limit.rlim_cur;
  }
  for (const auto& [name, pool] : config.pools) {
    facts.descriptors_wanted += observe::descriptors_of(pool);
  }
  return facts;
}

}  // namespace weir::runtime
