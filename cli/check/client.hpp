// SPDX-License-Identifier: MIT
//
// client.hpp: a driver seen through the C ABI, as a host sees it, in words short enough for rules.
// Source and Session end what they opened, in the order that the contract wants.
//
// Called by: rules. Owner: a rule's stack. Threads: one at a time per Session, as the ABI says.
#pragma once

#include "cli/check/host.hpp"
#include "cli/check/subject.hpp"

#include <weir/driver.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::check {

inline weir_text text(std::string_view s) noexcept { return {s.data(), s.size()}; }
inline std::string string_of(weir_text t) {
  return t.size == 0 ? std::string() : std::string(t.data, t.size);
}

// A weir_error with room for its text.
struct Error : weir_error {
  Error() noexcept;
  Error(const Error&) = delete;
  Error& operator=(const Error&) = delete;
  // Its text, as far as it can be believed.
  [[nodiscard]] std::string what() const;
  void clear() noexcept;

  std::array<char, 1024> room;
};

// A cell that owns its bytes. Doubles compare bit by bit.
struct Value {
  std::uint16_t type = WEIR_T_NULL;
  std::int64_t i = 0;
  double d = 0;
  std::string s;

  bool operator==(const Value& other) const noexcept;
  static Value null() { return {}; }
  static Value integer(std::int64_t i) { return {WEIR_T_INT64, i, 0, {}}; }
  static Value boolean(bool b) { return {WEIR_T_BOOL, b ? 1 : 0, 0, {}}; }
  static Value real(double d) { return {WEIR_T_DOUBLE, 0, d, {}}; }
  static Value str(std::string s) { return {WEIR_T_TEXT, 0, 0, std::move(s)}; }
  static Value blob(std::string s) { return {WEIR_T_BLOB, 0, 0, std::move(s)}; }

  [[nodiscard]] weir_cell cell() const noexcept;
  static Value of(const weir_cell& cell);
  // For messages, shortened.
  [[nodiscard]] std::string show() const;
};

using Row = std::vector<Value>;
using Options = std::vector<std::pair<std::string, std::string>>;

// An env and a source of it.
class Source {
 public:
  // Makes both. `status` and `error` say how source_create went; a failing env fails the rule.
  Source(const weir_driver& driver, const weir_host* host, const std::string& url,
         const Options& options, const std::string& base_dir);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  const weir_driver& driver;
  weir_env* env = nullptr;
  weir_source* handle = nullptr;
  weir_source_traits traits{};
  weir_status status = WEIR_OK;
  Error error;
};

class Session {
 public:
  explicit Session(Source& from, std::uint64_t conn_tag = 1);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  weir_call call() noexcept;
  // Fills status and error; fails nothing by itself, like the calls below.
  weir_status open();
  void close();
  // Runs to the end: the rows of all batches lie in `rows`.
  weir_status query(std::string_view sql, const Row& params = {}, std::uint32_t flags = 0,
                    weir_stmt* stmt = nullptr, std::uint32_t batch_rows = 0);
  // Runs up to the first batch.
  weir_status start(std::string_view sql, const Row& params = {}, std::uint32_t flags = 0,
                    weir_stmt* stmt = nullptr, std::uint32_t batch_rows = 0);
  weir_status fetch();
  void close_result();
  weir_status begin(std::uint32_t flags = 0, std::int32_t isolation = WEIR_ISOLATION_DEFAULT);
  weir_status commit();
  weir_status rollback();
  weir_status reset(std::int32_t level = WEIR_RESET_SESSION);
  weir_status ping(std::int32_t depth);
  weir_status prepare(std::string_view sql, weir_stmt** stmt);
  void stmt_close(weir_stmt* stmt);
  [[nodiscard]] std::uint32_t flags() const noexcept;
  [[nodiscard]] bool is(std::uint32_t flag) const noexcept { return (flags() & flag) != 0; }

  // The last call must have ended so; else the rule fails, with the error's own text.
  void must(weir_status expected, std::string_view what) const;

  const weir_driver& driver;
  Source& source;
  const std::uint64_t tag;
  weir_time deadline = WEIR_NO_DEADLINE;
  std::uint64_t op = 0;
  weir_canceller* canceller = nullptr;
  weir_conn* conn = nullptr;
  weir_status status = WEIR_OK;
  Error error;

  weir_result* result = nullptr;
  weir_batch batch{};
  weir_exec_out out{};
  std::vector<Row> rows;
  std::vector<std::string> columns;
  std::size_t batches = 0;
  std::uint64_t rows_of_largest_batch = 0;
  std::uint32_t done = 0;
  std::int32_t alive = 0;
  std::uint32_t param_count = 0;

 private:
  void keep_rows();
  void name_columns();
};

// What most rules start with: a host, a source of the subject's URL, and one session.
class Scene {
 public:
  explicit Scene(const Subject& subject, Host::Clock clock = Host::Clock::real);

  // Opens the session and sets the database up; fails the rule if that fails.
  void open();
  // The session still answers; `after` says what for.
  void still_usable(std::string_view after);

  const Subject& subject;
  const weir_driver& driver;
  Host host;
  Source source;
  Session session;
};

// The options of every source: the quirks' own.
[[nodiscard]] inline const Options& options_of(const Subject& subject) noexcept {
  return subject.quirks().options;
}

}  // namespace weir::check
