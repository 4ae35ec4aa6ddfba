// SPDX-License-Identifier: MIT
#include "backends/mysql/library.hpp"

#include <csignal>

namespace weir::mysql {
namespace {

// Never destroyed, unlike the instance that get_driver_instance() keeps: a crew's thread may start
// while the process ends, and a host's static pool closes after the library's own exit handlers.
//
// MariaDB's client has the whole process ignore SIGPIPE when it starts, and only then. That is the
// host's to say, so it is put back. It is not needed either: see library_raises_sigpipe, and the
// crew's threads block all signals.
sql::Driver* start() {
  struct sigaction of_host {};
  ::sigaction(SIGPIPE, nullptr, &of_host);
  sql::Driver* const driver = new sql::mysql::MySQL_Driver();
  ::sigaction(SIGPIPE, &of_host, nullptr);
  return driver;
}

}  // namespace

sql::Driver& library() {
  static sql::Driver* const driver = start();
  return *driver;
}

void enter_library() {
  struct Inside {
    Inside() { library().threadInit(); }
    ~Inside() { library().threadEnd(); }
  };
  static thread_local const Inside inside;
  static_cast<void>(inside);
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
