// SPDX-License-Identifier: MIT
#include "backends/mysql/library.hpp"

namespace weir::mysql {

sql::Driver& library() {
  static sql::Driver* const driver = sql::mysql::get_mysql_driver_instance();
  return *driver;
}

const char* library_version() {
  // Of the headers: to ask the library, it would have to be started.
#define WEIR_MYSQL_TEXT(number) #number
#define WEIR_MYSQL_VERSION(major, minor, patch) \
  WEIR_MYSQL_TEXT(major) "." WEIR_MYSQL_TEXT(minor) "." WEIR_MYSQL_TEXT(patch)
  return WEIR_MYSQL_VERSION(MYCPPCONN_DM_MAJOR_VERSION, MYCPPCONN_DM_MINOR_VERSION,
                            MYCPPCONN_DM_PATCH_VERSION);
#undef WEIR_MYSQL_VERSION
#undef WEIR_MYSQL_TEXT
}

}  // namespace weir::mysql
