// SPDX-License-Identifier: MIT
//
// types.hpp: the types that every PostgreSQL server has, by their fixed numbers, and what each is
// in the words of the ABI. What a server or a user adds is handed over as text.
//
// Called by: values.cpp, params.cpp. Constant. Threads: any.
#pragma once

#include <weir/driver.h>

#include <cstdint>
#include <libpq-fe.h>
#include <string_view>

namespace weir::postgres {

inline constexpr Oid bool_type = 16;
inline constexpr Oid bytea_type = 17;
inline constexpr Oid int8_type = 20;
inline constexpr Oid text_type = 25;
inline constexpr Oid real_type = 700;
inline constexpr Oid float8_type = 701;
inline constexpr Oid numeric_type = 1700;

struct TypeLine {
  Oid oid;
  std::uint16_t type;     // WEIR_T_*
  std::string_view name;  // as the server spells it; empty: not one of ours
};

const TypeLine& type_of(Oid oid) noexcept;

}  // namespace weir::postgres
