// SPDX-License-Identifier: MIT
#include "backends/common/abi.hpp"

namespace weir::backend {
namespace {

// Appends as much of `piece` as fits. UTF-8 is never cut inside a character.
bool append(char* to, std::uint32_t capacity, std::uint32_t& size, std::string_view piece) {
  std::size_t fits = std::min<std::size_t>(piece.size(), capacity - size);
  const bool cut = fits < piece.size();
  while (cut && fits > 0 && (static_cast<unsigned char>(piece[fits]) & 0xC0U) == 0x80U) --fits;
  if (fits > 0) std::memcpy(to + size, piece.data(), fits);
  size += static_cast<std::uint32_t>(fits);
  return !cut;
}

}  // namespace

weir_status fail(weir_error* error, const Facts& facts,
                 std::initializer_list<std::string_view> text) noexcept {
  if (error == nullptr) return facts.kind;
  weir_error full = read_in(error);
  full.kind = facts.kind;
  full.stage = facts.stage;
  full.conn_fate = facts.conn_fate;
  full.effect = facts.effect;
  full.tx_fate = facts.tx_fate;
  full.flags = facts.flags;
  full.native_code = facts.native_code;
  std::memset(full.sqlstate, 0, sizeof full.sqlstate);
  full.text_size = 0;
  bool whole = true;
  for (std::string_view piece : text) {
    const std::uint32_t capacity = full.text == nullptr ? 0 : full.text_capacity;
    if (whole) whole = append(full.text, capacity, full.text_size, piece);
  }
  if (!whole) full.flags |= WEIR_ERROR_TRUNCATED;
  write_out(error, full);
  return facts.kind;
}

weir_status refuse_bits(std::string_view what, Facts facts, weir_error* error) noexcept {
  facts.kind = WEIR_E_UNSUPPORTED;
  return fail(error, facts,
              {"the host sets must_understand bits in ", what, " that this driver does not know"});
}

weir_status check_deadline(const weir_host& host, weir_time deadline, Facts facts,
                           weir_error* error) noexcept {
  if (host.now(host.ctx) < deadline) return WEIR_OK;
  facts.kind = WEIR_E_TIMEOUT;
  facts.flags |= WEIR_ERROR_TRANSIENT;
  return fail(error, facts, {"the deadline had passed before the call began"});
}

weir_status read_host(const weir_host* host, weir_host& copy, weir_error* error) noexcept {
  copy = read_in(host);
  const char* missing = nullptr;
  if (copy.now == nullptr) missing = "now";
  if (copy.wait == nullptr) missing = "wait";
  if (copy.wake == nullptr) missing = "wake";
  if (missing == nullptr) return WEIR_OK;
  Facts facts;
  facts.kind = WEIR_E_UNSUPPORTED;
  return fail(error, facts, {"the host offers no '", missing, "' service"});
}

weir_status report_exception(weir_error* error) noexcept {
  Facts facts;
  facts.kind = WEIR_E_INTERNAL;
  facts.conn_fate = WEIR_CONN_UNKNOWN;
  facts.effect = WEIR_EFFECT_UNKNOWN;
  try {
    throw;
  } catch (const std::bad_alloc&) {
    facts.kind = WEIR_E_NOMEM;
    return fail(error, facts, {"out of memory in the driver"});
  } catch (const std::exception& e) {
    return fail(error, facts, {"bug in the driver: ", e.what()});
  } catch (...) {
    return fail(error, facts, {"bug in the driver: an unknown exception"});
  }
}

}  // namespace weir::backend
