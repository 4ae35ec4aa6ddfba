// SPDX-License-Identifier: MIT
#include "backends/mysql/library.hpp"

#include <csignal>
#include <new>
#include <pthread.h>

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

// By a key and not thread_local: GCC 12's leak checker breaks at the variables that a plugin has
// for each thread.
void enter_library() {
  static const ::pthread_key_t inside = [] {
    ::pthread_key_t key{};
    if (::pthread_key_create(&key, [](void*) { library().threadEnd(); }) != 0) {
      throw std::bad_alloc();
    }
    return key;
  }();
  if (::pthread_getspecific(inside) != nullptr) return;
  library().threadInit();
  // Any value but null has the destructor called. Without memory for it the thread never leaves.
  static_cast<void>(::pthread_setspecific(inside, &library()));
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
