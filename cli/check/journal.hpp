// SPDX-License-Identifier: MIT
//
// journal.hpp: the page that the child which runs a rule shares with the command that started it.
// It says what is being done now and how it ended. Shared memory and not a pipe, because it has to
// survive everything: a crash, a hang, a driver that closes descriptors, and a rule that leaves the
// process none. Writing to it is a copy and calls nothing.
//
// Owner:   the command makes one per rule (a memory file), the child maps the same pages.
// Threads: any of the child's for step() and end(): the first verdict counts, later ones are
//          dropped, and so is a step that comes while another is written. note() one at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::check {

enum class Verdict : std::uint32_t {
  none,  // the child has not come to one
  passed,
  failed,    // text says what was seen and what was expected
  skipped,   // text says why
  unable,    // the kit could not put the rule: not the driver's doing
  described  // the answer to the first question: text is a Description, one member per line
};

class Journal {
 public:
  // A fresh one. Throws: std::runtime_error if the system has no memory file.
  Journal();
  // The other end of the one behind `fd`, which is closed.
  explicit Journal(int fd);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_; }

  // What is being done, for the report of a crash or a hang.
  void step(std::string_view what) noexcept;
  // How it ended. Only the first counts; there is a verdict when this returns.
  void end(Verdict verdict, std::string_view text) noexcept;
  // A measurement or a remark that goes into the report.
  void note(std::string_view text) noexcept;

  // What the other end wrote, read without trust: it may have been scribbled over.
  [[nodiscard]] Verdict verdict() const noexcept;
  [[nodiscard]] std::string step_text() const;
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string notes() const;  // one per line

 private:
  struct Page;
  void map();
  int fd_ = -1;
  Page* page_ = nullptr;
};

}  // namespace weir::check
