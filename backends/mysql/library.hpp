// SPDX-License-Identifier: MIT
//
// library.hpp: the one place that names the headers of MySQL Connector/C++, classic API. The same
// source is meant for 1.1.12 and for 8.x, so it uses what both have: connect options by their names
// as text, columns by number.
//
// Called by: the files of this folder that use the client library. Threads: library() and
// enter_library() any, what the library offers those that have entered.
#pragma once

#if __has_include(<mysql/jdbc.h>)
#include <mysql/jdbc.h>
#else
#include <cppconn/connection.h>
#include <cppconn/datatype.h>
#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <cppconn/parameter_metadata.h>
#include <cppconn/prepared_statement.h>
#include <cppconn/resultset.h>
#include <cppconn/resultset_metadata.h>
#include <cppconn/statement.h>
#include <cppconn/version_info.h>
#include <mysql_driver.h>
#endif

#include <memory>
#include <string>
#include <string_view>

namespace weir::mysql {

// The library's driver object: one for the process. The library makes it on first use without a
// lock, and more than one where two threads come first together; this asks it once.
sql::Driver& library();

// What MySQL's own client asks of each thread that uses it. Holds until the thread ends; costs
// nothing from the second time on.
void enter_library();

// MariaDB's client, which 1.1.12 stands on, sends without that signal. MySQL's own, under 8.x, has
// the process ignore it, which is the host's to say; so it may run only where the signal is
// blocked.
#if __has_include(<mysql/jdbc.h>)
inline constexpr bool library_raises_sigpipe = true;
#else
inline constexpr bool library_raises_sigpipe = false;
#endif

// "1.1.12"; lives as long as the process.
const char* library_version();

inline sql::SQLString to_library(std::string_view s) { return {s.data(), s.size()}; }
// SQLString keeps NUL bytes; asStdString and c_str would invite to lose what follows one.
inline std::string_view bytes_of(const sql::SQLString& s) { return {s.c_str(), s.length()}; }

}  // namespace weir::mysql
