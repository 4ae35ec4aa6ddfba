// SPDX-License-Identifier: MIT
#include "cli/output.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <unistd.h>
#include <utility>

namespace weir::cli {
namespace {

constexpr std::size_t hold_bytes_max = 64 * 1024;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// https://no-color.org: any non-empty value switches colours off.
bool terminal_takes_color() {
  return environment("NO_COLOR").empty() && environment("TERM") != "dumb" &&
         !environment("TERM").empty();
}

bool use_color(ColorMode mode, bool terminal) {
  if (mode == ColorMode::automatic) return terminal && terminal_takes_color();
  return mode == ColorMode::always;
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = environment(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string_view::npos ||
           value.find("utf8") != std::string_view::npos;
  }
  return false;
}

// Writes everything. Returns: 0 or errno.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

std::string in_color(Tone tone, std::string_view text) {
  const char* code = "";
  switch (tone) {
    case Tone::plain:
      return std::string(text);
    case Tone::good:
      code = "32";
      break;
    case Tone::bad:
      code = "31";
      break;
    case Tone::strong:
      code = "1";
      break;
    case Tone::dim:
      code = "2";
      break;
  }
  return std::string("\x1b[") + code + "m" + std::string(text) + "\x1b[0m";
}

}  // namespace

bool OutputClosed::reader_left() const noexcept { return error_ == EPIPE; }
const char* OutputClosed::what() const noexcept { return std::strerror(error_); }

Output::Output(ColorMode color, bool quiet)
    : terminal_out_(isatty(STDOUT_FILENO) == 1),
      draws_(terminal_out_ && environment("TERM") != "dumb" && !environment("TERM").empty()),
      color_out_(use_color(color, terminal_out_)),
      color_err_(use_color(color, isatty(STDERR_FILENO) == 1)),
      utf8_(locale_is_utf8()),
      quiet_(quiet),
      progress_(!quiet && isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb") {}

void Output::data(std::string_view text) {
  held_ += text;
  if (held_.size() >= hold_bytes_max) flush();
}

void Output::flush() {
  const std::string text = std::exchange(held_, {});
  const int error = write_all(STDOUT_FILENO, text);
  if (error == 0 || (error == EPIPE && !ends_with_reader_)) return;
  throw OutputClosed(error);
}

void Output::prose(std::string_view text) {
  if (quiet_) return;
  end_progress();
  flush();  // what belongs above it on a terminal is above it
  static_cast<void>(write_all(STDERR_FILENO, text));
}

void Output::progress(std::string_view line) {
  if (!progress_) return;
  progress_shown_ = true;
  static_cast<void>(write_all(STDERR_FILENO, "\r\x1b[K" + std::string(line)));
}

void Output::end_progress() {
  if (std::exchange(progress_shown_, false)) {
    static_cast<void>(write_all(STDERR_FILENO, "\r\x1b[K"));
  }
}

std::string Output::toned(Tone tone, std::string_view text) const {
  return color_out_ ? in_color(tone, text) : std::string(text);
}

std::string Output::toned_prose(Tone tone, std::string_view text) const {
  return color_err_ ? in_color(tone, text) : std::string(text);
}

std::string Output::mark(bool good) const {
  const std::string_view symbol = utf8_ ? (good ? "✓" : "✗") : (good ? "ok" : "FAILED");
  return toned(good ? Tone::good : Tone::bad, symbol);
}

}  // namespace weir::cli
