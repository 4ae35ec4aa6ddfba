// SPDX-License-Identifier: MIT
#include "cli/check/subject.hpp"

#include "cli/check/journal.hpp"
#include "core/loader/entry.hpp"
#include "core/loader/probe.hpp"

#include <algorithm>
#include <array>
#include <unistd.h>

namespace weir::check {
namespace {

Journal* the_journal = nullptr;

constexpr std::array<std::string_view, 28> kinds{"ok",
                                                 "unsupported",
                                                 "invalid_argument",
                                                 "invalid_state",
                                                 "config",
                                                 "resolve",
                                                 "connect",
                                                 "tls",
                                                 "auth",
                                                 "permission",
                                                 "server_not_ready",
                                                 "too_many_connections",
                                                 "conn_lost",
                                                 "timeout",
                                                 "cancelled",
                                                 "syntax",
                                                 "not_found",
                                                 "constraint",
                                                 "data",
                                                 "serialization",
                                                 "deadlock",
                                                 "lock_timeout",
                                                 "resource",
                                                 "read_only",
                                                 "protocol",
                                                 "nomem",
                                                 "internal",
                                                 "other"};
static_assert(kinds.size() == WEIR_E_OTHER + 1);

[[noreturn]] void end(Verdict verdict, std::string_view text) noexcept {
  the_journal->end(verdict, text);
  ::_exit(0);
}

}  // namespace

void use_journal(Journal& journal) noexcept { the_journal = &journal; }

void fail_text(std::string_view text) noexcept { end(Verdict::failed, text); }
void skip_text(std::string_view text) noexcept { end(Verdict::skipped, text); }
void unable_text(std::string_view text) noexcept { end(Verdict::unable, text); }
void note_text(std::string_view text) noexcept { the_journal->note(text); }
void step_text(std::string_view text) noexcept { the_journal->step(text); }

std::string kind_name(weir_status kind) {
  if (kind >= 0 && static_cast<std::size_t>(kind) < kinds.size()) {
    return std::string(kinds.at(static_cast<std::size_t>(kind)));
  }
  return fmt::format("kind {}", kind);
}

weir_status kind_named(std::string_view name) noexcept {
  const auto* const found = std::find(kinds.begin(), kinds.end(), name);
  return found == kinds.end() ? WEIR_OK : static_cast<weir_status>(found - kinds.begin());
}

void* Subject::open_library() {
  if (library_ != nullptr) return library_;
  step("opening the library");
  auto opened = loader::open_library(job_.path, job_.path);
  if (!opened) fail_text(opened.error().message());
  return library_ = *opened;
}

weir_plugin_entry Subject::entry() {
  const weir_plugin_entry found = loader::find_entry(open_library());
  if (found == nullptr) fail("the library does not export weir_plugin_v1");
  step("calling weir_plugin_v1");
  return found;
}

void Subject::load() {
  void* const library = open_library();
  step("calling weir_plugin_v1 and reading its table");
  auto table = loader::enter(library, job_.path);
  if (!table) fail_text(table.error().message());
  table_.emplace(std::move(*table));
}

bool has_sanitizer() noexcept {
  static const bool has = std::string_view(loader::process_flavour()) != "plain";
  return has;
}

int slowness() noexcept { return has_sanitizer() ? 4 : 1; }

}  // namespace weir::check
