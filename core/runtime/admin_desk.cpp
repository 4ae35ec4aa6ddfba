// SPDX-License-Identifier: MIT
#include "core/runtime/admin_desk.hpp"

#include "core/base/suggest.hpp"
#include "core/base/text.hpp"
#include "core/observe/texts.hpp"

#include <weir/metrics.hpp>
#include <weir/version.hpp>

#include <algorithm>
#include <array>
#include <unistd.h>

#include <fmt/format.h>

namespace weir::runtime {
namespace {

using observe::json_text;

constexpr int protocol = 1;

// What becomes of one request: its line, or why there is none.
using Answer = Result<std::string>;

Answer hello() {
  return fmt::format(R"({{"weir":{},"protocol":{},"pid":{}}})", json_text(version()), protocol,
                     ::getpid());
}

// A list of what each pool says of itself.
template <class Say>
std::string of_each(const AdminDesk& desk, Say say) {
  std::vector<std::string> all;
  for (const auto& [name, pool] : desk.pools) all.push_back(say(*pool));
  return fmt::format(R"({{"pools":[{}]}})", fmt::join(all, ","));
}

Answer metrics(const AdminDesk& desk) {
  std::vector<PoolStats> stats;
  for (const auto& [name, pool] : desk.pools) stats.push_back(pool->stats());
  auto page = prometheus_text(stats);
  if (!page) return fail(std::move(page).error());
  return fmt::format(R"({{"page":{}}})", json_text(*page));
}

Answer reload(const AdminDesk& desk) {
  const auto changes = desk.reload();
  if (!changes) return fail(changes.error());
  std::vector<std::string> lines;
  for (const std::string& change : *changes) lines.push_back(json_text(change));
  return fmt::format(R"({{"changes":[{}]}})", fmt::join(lines, ","));
}

// Without a name: the only pool that there is.
Result<Pool*> choose(const AdminDesk& desk, std::string_view name) {
  if (name.empty() && desk.pools.size() == 1) return desk.pools.begin()->second;
  if (const auto found = desk.pools.find(name); found != desk.pools.end()) return found->second;
  std::vector<std::string_view> known;
  for (const auto& [other, pool] : desk.pools) known.emplace_back(other);
  return fail(Code::unknown_pool,
              name.empty() ? fmt::format("which pool? There are {}", fmt::join(known, ", "))
                           : observe::unknown_pool_text(name, known));
}

// What a change has come to; with a note where it has not come to its end.
std::string state_of(const Pool& pool, std::string_view note = {}) {
  const PoolStats stats = pool.stats();
  return fmt::format(R"({{"pool":{},"state":{},"active":{},"note":{}}})", json_text(stats.name),
                     json_text(stats.state), stats.now.lent,
                     note.empty() ? "null" : json_text(note));
}

// Nobody is waited for: whoever asked can look how `active` goes down.
Answer pause(Pool& pool) {
  const auto suspended = pool.suspend(Duration{});
  if (suspended) return state_of(pool);
  if (suspended.error().code() == Code::drain_timeout)  // paused, while leases are still out
    return state_of(pool, suspended.error().message());
  return fail(suspended.error());
}

Answer resume(Pool& pool) {
  pool.resume();
  if (const std::string state = pool.stats().state; state != "open")
    return fail(Code::pool_closed, fmt::format("{}: the pool is {}", pool.name(), state));
  return state_of(pool);
}

Answer recycle(Pool& pool) {
  if (auto evicted = pool.evict(); !evicted) return fail(std::move(evicted).error());
  return state_of(pool);
}

struct ForAll {
  std::string_view word;
  Answer (*run)(const AdminDesk&);
};
constexpr std::array<ForAll, 5> for_all{{
    {"hello", [](const AdminDesk&) { return hello(); }},
    {"stats",
     [](const AdminDesk& desk) -> Answer {
       return of_each(desk, [](const Pool& pool) { return pool.stats().to_json(); });
     }},
    {"health",
     [](const AdminDesk& desk) -> Answer {
       return of_each(desk, [](const Pool& pool) { return pool.health().to_json(); });
     }},
    {"metrics", metrics},
    {"reload", reload},
}};

struct ForOne {
  std::string_view word;
  Answer (*run)(Pool&);
};
constexpr std::array<ForOne, 3> for_one{
    {{"pause", pause}, {"resume", resume}, {"recycle", recycle}}};

Error unknown_request(std::string_view word) {
  std::vector<std::string_view> words;
  words.reserve(for_all.size() + for_one.size());
  for (const ForAll& request : for_all) words.push_back(request.word);
  for (const ForOne& request : for_one) words.push_back(request.word);
  const std::string_view near = nearest(word, words);
  return {Code::invalid_argument,
          fmt::format("\"{}\" is no request; {}", printable(word),
                      near.empty() ? fmt::format("there are {}", fmt::join(words, ", "))
                                   : fmt::format("did you mean \"{}\"?", near))};
}

Answer obey(const AdminDesk& desk, std::string_view line) {
  line = trimmed(line);
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, space);
  const std::string_view name = trimmed(line.substr(space));
  for (const ForAll& request : for_all) {
    if (request.word != word) continue;
    if (name.empty()) return request.run(desk);
    return fail(Code::invalid_argument, fmt::format("\"{}\" is about all pools", word));
  }
  for (const ForOne& request : for_one) {
    if (request.word != word) continue;
    const auto pool = choose(desk, name);
    if (!pool) return fail(pool.error());
    return request.run(**pool);
  }
  return fail(unknown_request(word));
}

}  // namespace

std::string admin_error(const Error& error) {
  return fmt::format(R"({{"error":{{"code":{},"name":{},"message":{}}}}})", json_text(error.id()),
                     json_text(error.name()), json_text(error.message()));
}

std::string AdminDesk::answer(std::string_view line) const {
  const Answer answer = obey(*this, line);
  return answer ? *answer : admin_error(answer.error());
}

}  // namespace weir::runtime
