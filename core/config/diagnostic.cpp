// SPDX-License-Identifier: MIT
#include "core/config/diagnostic.hpp"

#include "core/base/text.hpp"
#include "core/config/option_table.hpp"
#include "core/config/redact.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

#include <fmt/format.h>

namespace weir::config {
namespace {

constexpr std::string_view ellipsis = "\xe2\x80\xa6";
constexpr std::size_t widest = 120;  // columns of an excerpt
constexpr std::size_t longest_line = 4000;
constexpr std::size_t most_shown = 100;  // diagnostics of one file

// A source line as it is shown: cells of one column each, and where each source column went.
struct Shown {
  std::vector<std::string_view> cells;
  std::vector<std::size_t> cell_of;  // by source column - 1; one more entry for the end
};

bool covers(const Place& place, std::uint32_t line, std::uint32_t column) {
  const auto at = std::tuple(line, column);
  return at >= std::tuple(place.line, place.column) &&
         at < std::tuple(place.end_line, place.end_column);
}

Shown show_line(const LineInfo& info, std::uint32_t line, const std::vector<Place>& hidden) {
  Shown shown;
  std::vector<Place> here;
  std::copy_if(hidden.begin(), hidden.end(), std::back_inserter(here),
               [&](const Place& place) { return place.line <= line && line <= place.end_line; });
  std::string_view text = info.text.substr(0, info.comment);
  if (text.size() > longest_line) text = {};  // nobody reads it, and the cost below is quadratic
  const std::size_t end = text.find_last_not_of(" \t");
  std::uint32_t column = 1;
  bool in_hidden = false;
  for (std::size_t at = 0; end != std::string_view::npos && at <= end; ++column) {
    const std::size_t length = utf8_length(text, at);
    const bool hide = std::any_of(here.begin(), here.end(),
                                  [&](const Place& place) { return covers(place, line, column); });
    if (hide && !in_hidden) shown.cells.push_back(ellipsis);
    if (!hide) {
      const auto byte = static_cast<unsigned char>(text[at]);
      const std::string_view one = text.substr(at, std::max<std::size_t>(length, 1));
      // A tab as wide as a space keeps the caret under its character in every terminal.
      const bool odd = length == 0 || byte < 0x20 || byte == 0x7f || printable(one) != one;
      shown.cells.push_back(byte == '\t' ? " " : odd ? "?" : one);
    }
    in_hidden = hide;
    shown.cell_of.push_back(shown.cells.empty() ? 0 : shown.cells.size() - 1);
    at += std::max<std::size_t>(length, 1);
  }
  shown.cell_of.push_back(shown.cells.size());
  return shown;
}

std::string joined(const std::vector<std::string_view>& cells, std::size_t from, std::size_t to) {
  std::string out;
  for (std::size_t i = from; i < to; ++i) out += cells[i];
  return out;
}

}  // namespace

Source::Source(std::string_view name, std::string_view text)
    : name_(printable(name)), lines_(scan_lines(text)) {}

void Source::hide_unparsed(const Place& place) {
  const std::uint32_t line = place.line;
  if (line == 0 || line > lines_.size()) return;
  const LineInfo& info = lines_[line - 1];
  const std::string_view start = trimmed(info.text);
  const std::size_t equals = info.text.find('=');
  const bool header = start.starts_with('[') && equals == std::string_view::npos;
  if (!info.continues && header) return;
  if (!info.continues && equals != std::string_view::npos) {
    const std::string_view key = trimmed(info.text.substr(0, equals));
    const bool bare = key.find_first_not_of(bare_key_characters) == std::string_view::npos;
    const std::string_view name = key.substr(key.find_last_of('.') + 1);
    const std::string_view value = trimmed(info.text.substr(equals + 1));
    if (bare && is_public_key(name) && is_modest(value) && !looks_secret(value)) {
      hide({line, place.column, line + 1, 1});  // what follows the fault may be anything
      return;
    }
    if (bare) {
      // Columns count code points; a bare key has one byte for each.
      hide({line, static_cast<std::uint32_t>(info.text.find_first_not_of(" \t", equals + 1) + 1),
            line + 1, 1});
      return;
    }
  }
  hide({line, 1, line + 1, 1});
}

std::string Source::excerpt(const Diagnostic& diagnostic) const {
  const Place& place = diagnostic.place;
  const Shown shown = show_line(lines_[place.line - 1], place.line, hidden_);
  const auto cell = [&](std::uint32_t column) {
    return shown.cell_of[std::min<std::size_t>(column - 1, shown.cell_of.size() - 1)];
  };
  const std::size_t first = cell(std::max(place.column, 1u));
  std::size_t last =
      place.end_line == place.line ? cell(std::max(place.end_column, 1u)) : shown.cells.size();
  last = std::max(last, first + 1);

  // A long line is cut to what surrounds the caret.
  std::size_t from = 0;
  std::size_t to = shown.cells.size();
  if (to > widest) {
    from = first > widest / 2 ? first - widest / 2 : 0;
    to = std::min(to, from + widest);
    last = std::max(std::min(last, to), first + 1);
  }
  const std::string number = fmt::format("{}", place.line);
  const std::string gutter(number.size(), ' ');
  const std::string_view left = from > 0 ? ellipsis : "";
  const std::string_view right = to < shown.cells.size() ? ellipsis : "";
  std::string out = fmt::format("{} |\n{} | {}{}{}\n", gutter, number, left,
                                joined(shown.cells, from, to), right);
  const std::size_t indent = first - from + (from > 0 ? 1 : 0);
  std::string under = std::string(indent, ' ') + std::string(last - first, '^');
  if (!diagnostic.label.empty()) under += " " + diagnostic.label;
  return out + fmt::format("{} | {}\n", gutter, under);
}

std::string Source::render(const Diagnostic& diagnostic) const {
  const Place& place = diagnostic.place;
  std::string out = fmt::format("error[{}]: {}\n", info(diagnostic.code).id, diagnostic.message);
  const bool has_line = place.line != 0 && place.line <= lines_.size();
  const std::string gutter(has_line ? fmt::format("{}", place.line).size() : 1, ' ');
  if (has_line) {
    out += fmt::format("{}--> {}:{}:{}\n", gutter, name_, place.line, place.column);
    out += excerpt(diagnostic);
  } else {
    out += fmt::format("{}--> {}\n", gutter, name_);
    if (!diagnostic.label.empty()) out += fmt::format("{} = {}\n", gutter, diagnostic.label);
  }
  for (const std::string& note : diagnostic.notes) out += fmt::format("{} = {}\n", gutter, note);
  return out;
}

Error to_error(const Source& source, std::vector<Diagnostic> diagnostics) {
  std::stable_sort(
      diagnostics.begin(), diagnostics.end(), [](const Diagnostic& a, const Diagnostic& b) {
        return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
      });
  std::string message = source.name() + " cannot be used\n\n";
  std::vector<std::string_view> ids;
  for (std::size_t i = 0; i < diagnostics.size(); ++i) {
    if (i < most_shown) message += source.render(diagnostics[i]) + "\n";
    const std::string_view id = info(diagnostics[i].code).id;
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  if (diagnostics.size() > most_shown)
    message += fmt::format("... and {} more\n\n", diagnostics.size() - most_shown);
  const bool one = diagnostics.size() == 1;
  message += fmt::format("{} {} \xc2\xb7 ", diagnostics.size(), one ? "error" : "errors");
  for (std::size_t i = 0; i < std::min<std::size_t>(ids.size(), 3); ++i)
    message += fmt::format("{}`weir explain {}`", i == 0 ? "" : ", ", ids[i]);
  return Error(one ? diagnostics.front().code : Code::config_many, std::move(message));
}

}  // namespace weir::config
