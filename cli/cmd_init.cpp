// SPDX-License-Identifier: MIT
//
// weir init: a first weir.toml with everything that a beginner wants to change, and the schema that
// lets an editor help.
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "core/config/reference.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

#include <fmt/format.h>

namespace weir::cli {
namespace {

constexpr std::string_view schema_name = "weir.schema.json";

constexpr std::string_view first_file = R"(#:schema ./weir.schema.json
# The database connections of this program. `weir config check` checks this file, `weir doctor`
# tries it out, and `weir help options` explains all keys.
version = 1

[pool.main]
driver = "sqlite"                # `weir driver list` shows which drivers there are
# The database. Relative paths are relative to this file.
url = { env = "DATABASE_URL", default = "app.db" }
min = 1                          # connections that are opened at start and kept
max = 10                         # connections at most
acquire_timeout = "30s"          # how long a caller waits for a connection at most
idle_timeout = "10m"             # connections above min are closed when unused for so long
max_lifetime = "30m"             # connections are replaced at this age

# What the driver itself takes; `weir driver list` explains these.
[pool.main.options]
journal_mode = "wal"
busy_timeout = "5s"
)";

// Returns: 0 or errno.
int write_file(const std::filesystem::path& path, std::string_view text, bool overwrite) {
  const int how = O_WRONLY | O_CREAT | O_CLOEXEC | (overwrite ? O_TRUNC : O_EXCL);
  const int fd = ::open(path.c_str(), how, 0666);
  if (fd < 0) return errno;
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0) {
      const int error = errno;
      ::close(fd);
      return error;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return ::close(fd) == 0 ? 0 : errno;
}

int refuse(Context& context, const std::filesystem::path& path, int error) {
  std::string message = fmt::format("cannot write {}: {}", path.string(), std::strerror(error));
  if (error == EEXIST) {
    message = fmt::format("{} exists and was left alone; --force overwrites it", path.string());
  }
  if (context.global.json) {
    context.json({{"error", {{"message", message}, {"exit_code", int{exit_failed}}}}});
  }
  context.out.prose(fmt::format("weir: {}\n", message));
  return exit_failed;
}

}  // namespace

int run_init(Context& context) {
  const std::filesystem::path file = context.global.config;
  const std::filesystem::path schema = file.parent_path() / schema_name;
  const bool force = context.has("--force");
  if (const int error = write_file(file, first_file, force); error != 0) {
    return refuse(context, file, error);
  }
  // A schema that is there already serves as well, unless it is to be renewed.
  const int error = write_file(schema, config::config_schema(), force);
  if (error != 0 && error != EEXIST) return refuse(context, schema, error);
  if (context.global.json) {
    context.json({{"ok", true}, {"config", file.string()}, {"schema", schema.string()}});
  }
  const std::string wrote =
      error == 0 ? fmt::format("wrote {} and {}", file.string(), schema.string())
                 : fmt::format("wrote {}; {} was there", file.string(), schema.string());
  context.out.prose(
      fmt::format("{}\nnext: {} doctor\n", wrote,
                  context.global.config_given ? fmt::format("weir -c {}", file.string()) : "weir"));
  return exit_ok;
}

}  // namespace weir::cli
