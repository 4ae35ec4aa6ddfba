// SPDX-License-Identifier: MIT
//
// abi.hpp: the step from C++ to the driver ABI. A backend is written as ordinary functions; this
// header gives them the manners of the contract, so that each is written once:
//
//   Guarded   no exception crosses the boundary: bad_alloc is NOMEM, anything else INTERNAL
//   fail      fills a weir_error of any struct_size, text of any capacity, or none at all
//   read_in   an input struct of any struct_size as a full one, the missing tail zero
//   Input     the same for what comes with every call, copied only where it is shorter
//   write_out writes no more than the caller's struct_size
//   flag_if   one flag of several that depend on something
//   broken_by a conn that is not to be lent again, and an error that says so
//   tell_of_earlier_rows  an error of one row of many, when others went before it
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

// What the caller has just written in small parts is slow to copy: a load that covers two of them
// waits until both have left the processor, 5 ns.
template <class T>
class Input {
 public:
  explicit Input(const T* in) noexcept : at_(in) {
    if (in != nullptr && in->struct_size >= sizeof(T)) return;
    room_ = read_in(in);
    at_ = &room_;
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  const T& operator*() const noexcept { return *at_; }
  const T* operator->() const noexcept { return at_; }

 private:
  const T* at_;
  T room_;  // not used where *in is full
};

// Stores `value` into *out as far as the caller's struct reaches; its struct_size stays.
template <class T>
void write_out(T* out, const T& value) noexcept {
  if (out == nullptr) return;
  const std::uint32_t size = out->struct_size;
  if (size >= sizeof(T)) {
    *out = value;
  } else {
    const T whole = value;  // so that `value` itself need not be in memory
    std::memcpy(out, &whole, size);
  }
  out->struct_size = size;
}

// The same, field by field: asked at each return of a connection, and read by the caller at once.
inline void write_out(weir_conn_state* out, const weir_conn_state& value) noexcept {
  if (out == nullptr || out->struct_size < sizeof value) {
    return write_out<weir_conn_state>(out, value);
  }
  out->flags = value.flags;
  out->backend_id = value.backend_id;
  out->last_io = value.last_io;
}

// `flag` where `condition` holds. For several of them this, and no `if`: GCC 12 makes a table of
// all sums of seven flags on the stack, 128 of them, at each call.
constexpr std::uint32_t flag_if(bool condition, std::uint32_t flag) noexcept {
  return (0U - static_cast<std::uint32_t>(condition)) & flag;
}

// For a conn that must not be lent again after the failure in `error`, whatever that was: one that
// could not be cleaned, or whose answer may still come. Returns `status`.
template <class Conn>
weir_status broken_by(Conn& conn, weir_status status, weir_error* error) noexcept {
  conn.broken = true;
  weir_error full = read_in(error);
  full.conn_fate = WEIR_CONN_BROKEN;
  write_out(error, full);
  return status;
}

// A row that is refused unsent says of itself only that nothing was sent: others were before it.
inline void tell_of_earlier_rows(weir_error* error) noexcept {
  weir_error full = read_in(error);
  if (full.effect == WEIR_EFFECT_NOT_SENT) full.effect = WEIR_EFFECT_DEFINITE;
  write_out(error, full);
}

weir_status refuse_bits(std::string_view what, Facts facts, weir_error* error) noexcept;
weir_status check_deadline(const weir_host& host, weir_time deadline, Facts facts,
                           weir_error* error) noexcept;

// Refuses bits in `must_understand`: this version knows none.
inline weir_status check_bits(std::uint32_t must_understand, std::string_view what,
                              const Facts& facts, weir_error* error) noexcept {
  return must_understand == 0 ? WEIR_OK : refuse_bits(what, facts, error);
}

// The checks that every call shares: bits nobody knows, a deadline that has passed.
inline weir_status check_call(const weir_host& host, const weir_call& call, const Facts& facts,
                              weir_error* error) noexcept {
  if (call.must_understand != 0) return refuse_bits("weir_call", facts, error);
  if (call.deadline == WEIR_NO_DEADLINE) return WEIR_OK;
  return check_deadline(host, call.deadline, facts, error);
}

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
