// SPDX-License-Identifier: MIT
//
// abi.hpp: the step from C++ to the driver ABI. A backend is written as ordinary functions; this
// header gives them the manners of the contract, so that each is written once:
//
//   Guarded   no exception crosses the boundary: bad_alloc is NOMEM, anything else INTERNAL
//   fail      fills a weir_error of any struct_size, text of any capacity, or none at all
//   read_in   an input struct of any struct_size as a full one, the missing tail zero
//   write_out writes no more than the caller's struct_size
//   broken_by a conn that is not to be lent again, and an error that says so
//
// Called by: the backends. Owns nothing. Threads: any.
// Never does: I/O, allocation, logging.
#pragma once

#include <weir/driver.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <new>
#include <string_view>
#include <tuple>

namespace weir::backend {

// What a failure says beside its text. Defaults are right for "refused before anything was done".
struct Facts {
  weir_status kind = WEIR_E_OTHER;
  std::uint8_t stage = WEIR_STAGE_NONE;
  std::uint8_t conn_fate = WEIR_CONN_USABLE;
  std::uint8_t effect = WEIR_EFFECT_NOT_SENT;
  std::uint8_t tx_fate = WEIR_TX_NONE;
  std::uint32_t flags = 0;
  std::int64_t native_code = 0;
};

// Fills *error, if there is one, and returns facts.kind. The text is the pieces in a row; it is cut
// at a character boundary where text_capacity ends it.
weir_status fail(weir_error* error, const Facts& facts,
                 std::initializer_list<std::string_view> text) noexcept;

inline std::string_view view(weir_text text) noexcept {
  return text.size == 0 ? std::string_view{} : std::string_view{text.data, text.size};
}

inline weir_text text(std::string_view s) noexcept { return {s.data(), s.size()}; }

// A full struct from one that may be shorter (older host) or longer (newer host) than ours.
template <class T>
T read_in(const T* in) noexcept {
  T full{};
  if (in != nullptr) {
    std::memcpy(&full, in, std::min<std::size_t>(in->struct_size, sizeof(T)));
  }
  return full;
}

// Stores `value` into *out as far as the caller's struct reaches; its struct_size stays.
template <class T>
void write_out(T* out, T value) noexcept {
  if (out == nullptr) return;
  value.struct_size = out->struct_size;
  std::memcpy(out, &value, std::min<std::size_t>(out->struct_size, sizeof(T)));
}

// The same, field by field: asked at each return of a connection, and read by the caller at once. A
// load that covers two stores before it waits for them to leave the processor, 5 ns.
inline void write_out(weir_conn_state* out, const weir_conn_state& value) noexcept {
  if (out == nullptr || out->struct_size < sizeof value) {
    return write_out<weir_conn_state>(out, value);
  }
  out->flags = value.flags;
  out->backend_id = value.backend_id;
  out->last_io = value.last_io;
}

// For a conn that must not be lent again after the failure in `error`, whatever that was: one that
// could not be cleaned. Returns `status`.
template <class Conn>
weir_status broken_by(Conn& conn, weir_status status, weir_error* error) noexcept {
  conn.broken = true;
  weir_error full = read_in(error);
  full.conn_fate = WEIR_CONN_BROKEN;
  write_out(error, full);
  return status;
}

// The checks that every call shares: bits nobody knows, a deadline that has passed.
weir_status check_call(const weir_host& host, const weir_call& call, Facts facts,
                       weir_error* error) noexcept;

// Refuses bits in `must_understand`: this version knows none.
weir_status check_bits(std::uint32_t must_understand, std::string_view what, Facts facts,
                       weir_error* error) noexcept;

// Copies the host's table, filling what an older host lacks with null. UNSUPPORTED names the first
// service that is missing.
weir_status read_host(const weir_host* host, weir_host& copy, weir_error* error) noexcept;

weir_status report_exception(weir_error* error) noexcept;  // inside a catch block only

template <auto Fn, class Type = decltype(Fn)>
struct Guarded;

// A function that can fail: its last argument is the weir_error*.
template <auto Fn, class... Args>
struct Guarded<Fn, weir_status (*)(Args...)> {
  static weir_status call(Args... args) noexcept {
    try {
      return Fn(args...);
    } catch (...) {
      return report_exception(std::get<sizeof...(Args) - 1>(std::tie(args...)));
    }
  }
};

// One that cannot: what escapes is dropped, because there is nobody to tell.
template <auto Fn, class... Args>
struct Guarded<Fn, void (*)(Args...)> {
  static void call(Args... args) noexcept {
    try {
      Fn(args...);
    } catch (...) {
      return;
    }
  }
};

// The pointer that goes into the driver's table.
template <auto Fn>
inline constexpr auto guarded = &Guarded<Fn>::call;

}  // namespace weir::backend
