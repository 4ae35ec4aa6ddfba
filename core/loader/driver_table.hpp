// SPDX-License-Identifier: MIT
//
// DriverTable: a driver's table of functions after it was checked, as the host keeps it.
//
// The loader makes one from what a plugin's entry returned, or from what a host registered; both
// take the same checks. Whoever calls drivers (core/runtime) holds a copy: they are cheap and share
// one immutable body.
//
// Shape:      a weir_driver of *this* build's size, whatever the size of the driver's own, with a
//             weir_info and a row of weir_option_spec of this build's sizes behind it.
// Invariants: 1. No slot is null. A slot that the driver left empty, or that lies beyond its
//                struct_size, holds a stub that returns WEIR_E_UNSUPPORTED and says so in *error
//                (void functions do nothing). So callers need no checks.
//             2. A claimed capability has its functions: otherwise the driver was refused.
//                Capabilities that this build does not know are dropped from caps.
//             3. Texts of info and options are never null, except client_version, default_value,
//                and choices of an option that is no choice. Keys and words are well formed.
// Threads:    immutable, any thread.
// Lifetime:   texts and functions belong to the driver's library, which is never unloaded.
#pragma once

#include <weir/driver.h>
#include <weir/result.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::loader {

class DriverTable {
 public:
  // Checks a driver's table and copies it. `where` names it in messages: a file, or "linked in".
  // Errors: driver_invalid, naming the slot, capability or option at fault: the driver's fault.
  // Requires: table is null or points to what the ABI says; a wild pointer cannot be survived,
  // which is why files are tried in a process of their own first (core/loader/probe.hpp).
  [[nodiscard]] static Result<DriverTable> create(const weir_driver* table, std::string_view where);

  [[nodiscard]] const weir_driver& operator*() const noexcept { return body_->driver; }
  [[nodiscard]] const weir_driver* operator->() const noexcept { return &body_->driver; }

  [[nodiscard]] bool has(std::uint64_t caps) const noexcept {
    return (body_->driver.caps & caps) == caps;
  }
  [[nodiscard]] const weir_info& info() const noexcept { return body_->info; }
  [[nodiscard]] std::string_view name() const noexcept { return body_->info.name; }
  [[nodiscard]] std::span<const weir_option_spec> options() const noexcept {
    return body_->options;
  }

 private:
  struct Body {
    weir_driver driver{};
    weir_info info{};
    std::vector<weir_option_spec> options;
  };
  explicit DriverTable(std::shared_ptr<const Body> body) noexcept : body_(std::move(body)) {}

  std::shared_ptr<const Body> body_;
};

// Is this [a-z0-9][a-z0-9_-]{0,63}?
[[nodiscard]] bool is_driver_name(std::string_view name) noexcept;

// The name that a table claims to have, without trusting the rest of it; empty if it has none that
// can be read. For matching registered drivers before they are checked.
[[nodiscard]] std::string_view claimed_name(const weir_driver* table) noexcept;

// The words for capability bits, "tx", "read_only_tx" ...; unknown bits are left out.
[[nodiscard]] std::vector<std::string_view> capability_names(std::uint64_t caps);
// The bit of such a word, 0 if there is none.
[[nodiscard]] std::uint64_t capability_bit(std::string_view name) noexcept;

}  // namespace weir::loader
