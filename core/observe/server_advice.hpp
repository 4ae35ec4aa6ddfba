// SPDX-License-Identifier: MIT
//
// Server advice: what a pool is set to, against what its server and this process allow. A pool of
// 200 before a server that admits 97, or connections that the server closes before the pool does,
// work in every test and fail on a busy day.
//
// Called by: `weir doctor` and, with its first connection, each pool; they ask the server. No I/O
// in here: questions() says what to ask, advise() what to make of the answers. Threads: any; no
// state.
#pragma once

#include <weir/config.hpp>
#include <weir/rows.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::observe {

// Answers by name. What is not there was not answered: an older server, or no right to ask.
using ServerFacts = std::map<std::string, std::string, std::less<>>;

// A statement whose rows are (name, value), or, with `name`, one value.
struct Question {
  std::string_view sql;
  std::string_view name = {};
};
// By the driver's name; empty for one that is not known.
[[nodiscard]] std::vector<Question> questions(std::string_view driver);

struct Advice {
  enum class Grade : std::uint8_t {
    note,  // may be meant so
    warn,  // works until a busy or a quiet day
  } grade = Grade::warn;
  std::string key;     // of weir.toml, as in "max"
  std::string reason;  // a sentence with both sides' numbers
  std::string fix;     // the exact line, or what to change at the server
  friend bool operator==(const Advice&, const Advice&) = default;
};

// What `max = "auto"` comes to.
struct Share {
  std::uint32_t max = 0;
  std::string why;  // "the server admits 97 connections (...), less 5 in reserve, for 4 pools"
};
// Never less than 1 or `min`. Where the server names no limit: 10.
// Source of (limit - reserve) / instances: userver's connlimit_watchdog, pools.md §4.
[[nodiscard]] Share auto_share(const PoolConfig& pool, const ServerFacts& server);
// Whether a server of this driver can say how many connections it admits.
[[nodiscard]] bool names_limit(std::string_view driver) noexcept;

struct ProcessFacts {
  std::uint64_t descriptors_max = 0;     // that this process may open in all; 0 if not known
  std::uint64_t descriptors_wanted = 0;  // by all pools together
};
// That a pool may have open at once, about: one for each connection, but MySQL has two and SQLite
// two or three.
[[nodiscard]] std::uint64_t descriptors_of(const PoolConfig& pool) noexcept;

// Adds what the rows of one question say.
void note_answers(const Question& question, const Rows& rows, ServerFacts& facts);

[[nodiscard]] std::vector<Advice> advise(const PoolConfig& pool, const ServerFacts& server,
                                         const ProcessFacts& process = {});

}  // namespace weir::observe
