// SPDX-License-Identifier: MIT
#include "backends/sqlite/pragmas.hpp"

#include <iterator>

#include <sqlite3.h>

namespace weir::sqlite {
namespace {

constexpr Pragma table[] = {
    {"table_info", PragmaScope::none, nullptr},
    {"table_xinfo", PragmaScope::none, nullptr},
    {"table_list", PragmaScope::none, nullptr},
    {"index_info", PragmaScope::none, nullptr},
    {"index_xinfo", PragmaScope::none, nullptr},
    {"index_list", PragmaScope::none, nullptr},
    {"foreign_key_list", PragmaScope::none, nullptr},
    {"foreign_key_check", PragmaScope::none, nullptr},
    {"integrity_check", PragmaScope::none, nullptr},
    {"quick_check", PragmaScope::none, nullptr},
    {"wal_checkpoint", PragmaScope::none, nullptr},
    {"incremental_vacuum", PragmaScope::none, nullptr},
    {"optimize", PragmaScope::none, nullptr},

    // Restored in this order; foreign_keys and query_only first, so that what follows can work.
    {"query_only", PragmaScope::session, "0"},
    {"foreign_keys", PragmaScope::session, nullptr},
    {"busy_timeout", PragmaScope::session, "0"},  // our handler takes its place again
    {"case_sensitive_like", PragmaScope::session, "0"},
    {"defer_foreign_keys", PragmaScope::session, "0"},
    {"synchronous", PragmaScope::session, nullptr},
    {"journal_mode", PragmaScope::session, nullptr},
    {"locking_mode", PragmaScope::session, nullptr},
    {"cache_size", PragmaScope::session, nullptr},
    {"cache_spill", PragmaScope::session, nullptr},
    {"recursive_triggers", PragmaScope::session, nullptr},
    {"ignore_check_constraints", PragmaScope::session, nullptr},
    {"reverse_unordered_selects", PragmaScope::session, nullptr},
    {"read_uncommitted", PragmaScope::session, nullptr},
    {"automatic_index", PragmaScope::session, nullptr},
    {"cell_size_check", PragmaScope::session, nullptr},
    {"legacy_alter_table", PragmaScope::session, nullptr},
    {"trusted_schema", PragmaScope::session, nullptr},
    {"writable_schema", PragmaScope::session, nullptr},
    {"temp_store", PragmaScope::session, nullptr},
    {"secure_delete", PragmaScope::session, nullptr},
    {"max_page_count", PragmaScope::session, nullptr},
    {"analysis_limit", PragmaScope::session, nullptr},
    {"threads", PragmaScope::session, nullptr},
    {"count_changes", PragmaScope::session, nullptr},
    {"full_column_names", PragmaScope::session, nullptr},
    {"short_column_names", PragmaScope::session, nullptr},
    // The handle keeps these for the first table or the next VACUUM; what was made is data.
    {"encoding", PragmaScope::session, "'UTF-8'"},
    {"auto_vacuum", PragmaScope::session, nullptr},
    {"page_size", PragmaScope::session, nullptr},

    {"user_version", PragmaScope::data, "0"},
    {"application_id", PragmaScope::data, "0"},

    {"soft_heap_limit", PragmaScope::process, nullptr},
    {"hard_heap_limit", PragmaScope::process, nullptr},
    {"temp_store_directory", PragmaScope::process, nullptr},
    {"data_store_directory", PragmaScope::process, nullptr},
};
static_assert(std::size(table) <= 64, "PragmaSet has one bit for each");

}  // namespace

std::span<const Pragma> pragmas() noexcept { return table; }

const Pragma* find_pragma(const char* name) noexcept {
  for (const Pragma& pragma : table) {
    if (sqlite3_stricmp(pragma.name, name) == 0) return &pragma;
  }
  return nullptr;
}

void PragmaSet::add(const Pragma* pragma) noexcept {
  if (pragma == nullptr) {
    others = true;
  } else {
    bits |= std::uint64_t{1} << (pragma - table);
  }
}

}  // namespace weir::sqlite
