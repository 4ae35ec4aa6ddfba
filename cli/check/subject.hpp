// SPDX-License-Identifier: MIT
//
// subject.hpp: the driver under test, as a rule gets it, and the words in which a rule comes to its
// verdict.
//
// Called by: rules, in the child process that runs one of them.
// Ends:      fail(), skip() and unable() write the verdict and end the process at once, from any
//            thread: nothing of a driver that was found wrong is trusted any further, not even
//            close(). A rule that returns has passed.
// Threads:   the rule's, unless said otherwise.
#pragma once

#include "cli/check/job.hpp"
#include "core/loader/driver_table.hpp"

#include <weir/driver.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace weir::check {

class Journal;

// The journal that the words below write to. Set once by the child, before a rule runs.
void use_journal(Journal& journal) noexcept;

[[noreturn]] void fail_text(std::string_view text) noexcept;    // [any]
[[noreturn]] void skip_text(std::string_view text) noexcept;    // [any]
[[noreturn]] void unable_text(std::string_view text) noexcept;  // [any]
void note_text(std::string_view text) noexcept;
void step_text(std::string_view text) noexcept;

// What was seen, and what was expected instead.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) noexcept {
  fail_text(fmt::format(text, std::forward<Args>(args)...));
}
// Why there is nothing to ask.
template <class... Args>
[[noreturn]] void skip(fmt::format_string<Args...> text, Args&&... args) noexcept {
  skip_text(fmt::format(text, std::forward<Args>(args)...));
}
// Why the kit could not ask.
template <class... Args>
[[noreturn]] void unable(fmt::format_string<Args...> text, Args&&... args) noexcept {
  unable_text(fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void expect(bool holds, fmt::format_string<Args...> text, Args&&... args) noexcept {
  if (!holds) fail_text(fmt::format(text, std::forward<Args>(args)...));
}
// What is done next: the report of a crash or a hang ends with it.
template <class... Args>
void step(fmt::format_string<Args...> text, Args&&... args) noexcept {
  step_text(fmt::format(text, std::forward<Args>(args)...));
}
// A measurement for the report.
template <class... Args>
void note(fmt::format_string<Args...> text, Args&&... args) noexcept {
  note_text(fmt::format(text, std::forward<Args>(args)...));
}
// What is neither right nor wrong, but differs from database to database. Such notes, and the
// capabilities, are what docs/databases.md is made of.
template <class... Args>
void fact(std::string_view name, fmt::format_string<Args...> text, Args&&... args) noexcept {
  note("{}: {}", name, fmt::format(text, std::forward<Args>(args)...));
}

// "timeout" for WEIR_E_TIMEOUT; "kind 77" for what nobody knows.
[[nodiscard]] std::string kind_name(weir_status kind);
// WEIR_OK if there is no such kind.
[[nodiscard]] weir_status kind_named(std::string_view name) noexcept;

class Subject {
 public:
  explicit Subject(Job job) : job_(std::move(job)) {}
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  [[nodiscard]] const Job& job() const noexcept { return job_; }
  [[nodiscard]] const Quirks& quirks() const noexcept { return job_.quirks; }
  [[nodiscard]] std::string sql(std::string_view key) const {
    return std::string(job_.quirks.statement(key));
  }

  // Opens the library; fails the rule if the dynamic linker refuses.
  void* open_library();
  // Its entry; fails the rule if there is none.
  weir_plugin_entry entry();
  // Opens and enters it as a host does. Called by the child before rules that need a table.
  void load();

  // After load().
  [[nodiscard]] const weir_driver& driver() const noexcept { return **table_; }
  [[nodiscard]] const loader::DriverTable& table() const noexcept { return *table_; }
  [[nodiscard]] bool claims(std::uint64_t caps) const noexcept { return table_->has(caps); }

  // `full` in a run that may take its time, else `reduced`.
  [[nodiscard]] int scaled(int full, int reduced) const noexcept {
    return job_.full ? full : reduced;
  }

 private:
  Job job_;
  void* library_ = nullptr;
  std::optional<loader::DriverTable> table_;
};

// How much longer things take in this build: 4 with a sanitizer.
[[nodiscard]] int slowness() noexcept;
[[nodiscard]] bool has_sanitizer() noexcept;

}  // namespace weir::check
