// SPDX-License-Identifier: MIT
//
// Output: where a command's words go. Data goes to stdout, prose to stderr. A reader that closes
// the pipe is no failure: the command goes on to its exit code, or ends quietly if it says so.
// Decides about colour, symbols and progress lines.
//
// Made by main from the global options; one per process. Threads: one.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace weir::cli {

enum class ColorMode { automatic, always, never };
enum class Tone { plain, good, bad, strong, dim };

// stdout cannot take more: the disk is full, or the reader of a command that ends with him has
// left.
class OutputClosed : public std::exception {
 public:
  explicit OutputClosed(int error) : error_(error) {}
  [[nodiscard]] bool reader_left() const noexcept;
  [[nodiscard]] const char* what() const noexcept override;

 private:
  int error_;
};

class Output {
 public:
  Output(ColorMode color, bool quiet);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Appends to stdout; written in large pieces. Throws: OutputClosed.
  void data(std::string_view text);
  // Writes what data() holds back. Throws: OutputClosed. Call before the process ends.
  void flush();
  // For a command whose whole work is to be read, perhaps without end: OutputClosed ends it once
  // nobody reads. Any other goes on, for its exit code is asked for as well (`weir doctor | head`).
  void end_with_reader() noexcept { ends_with_reader_ = true; }

  // Writes to stderr, unless --quiet. Failures are ignored: there is nobody left to tell.
  void prose(std::string_view text);
  // Draws one line over the last on a terminal; nothing elsewhere and with --quiet.
  void progress(std::string_view line);
  void end_progress();

  [[nodiscard]] bool data_to_terminal() const noexcept { return terminal_out_; }
  // Whether stdout is a terminal that can be drawn on, not only written to line by line.
  [[nodiscard]] bool draws() const noexcept { return draws_; }
  [[nodiscard]] bool utf8() const noexcept { return utf8_; }  // the locale has all letters
  [[nodiscard]] bool shows_progress() const noexcept { return progress_; }

  // `text` in a colour, for data() or for prose(), where that stream takes colours.
  [[nodiscard]] std::string toned(Tone tone, std::string_view text) const;
  [[nodiscard]] std::string toned_prose(Tone tone, std::string_view text) const;
  // A check mark or a cross, as words where the locale has no such letters.
  [[nodiscard]] std::string mark(bool good) const;

 private:
  std::string held_;
  bool terminal_out_;
  bool draws_;
  bool color_out_;
  bool color_err_;
  bool utf8_;
  bool quiet_;
  bool ends_with_reader_ = false;
  bool progress_;
  bool progress_shown_ = false;
};

}  // namespace weir::cli
