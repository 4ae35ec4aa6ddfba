// SPDX-License-Identifier: MIT
#include "sim/server/language.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <charconv>

namespace weir::sim {
namespace {

enum class Shape : std::uint8_t { anything, nothing, name, name_value, number, kind };

constexpr struct {
  std::string_view word;
  Verb verb;
  Shape shape;
} verbs[] = {
    {"select", Verb::query, Shape::anything},
    {"rows", Verb::query, Shape::anything},
    {"insert", Verb::write, Shape::anything},
    {"sleep", Verb::sleep, Shape::number},
    {"fail", Verb::fail, Shape::kind},
    {"dirty", Verb::dirty, Shape::nothing},
    {"break", Verb::break_off, Shape::nothing},
    {"begin", Verb::begin, Shape::nothing},
    {"commit", Verb::commit, Shape::nothing},
    {"rollback", Verb::rollback, Shape::nothing},
    {"put", Verb::put, Shape::name_value},
    {"add", Verb::add, Shape::name},
    {"get", Verb::get, Shape::name},
    {"set", Verb::set, Shape::name_value},
    {"show", Verb::show, Shape::name},
    {"temp", Verb::temp, Shape::name},
    {"lock", Verb::lock, Shape::name},
    {"unlock", Verb::unlock, Shape::name},
    {"role", Verb::role, Shape::name},
    {"listen", Verb::listen, Shape::name},
};

// What a server says of a statement; other kinds are the network's or the driver's.
constexpr struct {
  std::string_view word;
  weir_status kind;
} kinds[] = {
    {"server_not_ready", WEIR_E_SERVER_NOT_READY},
    {"conn_lost", WEIR_E_CONN_LOST},
    {"permission", WEIR_E_PERMISSION},
    {"syntax", WEIR_E_SYNTAX},
    {"not_found", WEIR_E_NOT_FOUND},
    {"constraint", WEIR_E_CONSTRAINT},
    {"data", WEIR_E_DATA},
    {"serialization", WEIR_E_SERIALIZATION},
    {"deadlock", WEIR_E_DEADLOCK},
    {"lock_timeout", WEIR_E_LOCK_TIMEOUT},
    {"resource", WEIR_E_RESOURCE},
    {"read_only", WEIR_E_READ_ONLY},
    {"protocol", WEIR_E_PROTOCOL},
    {"other", WEIR_E_OTHER},
};

template <class Number>
bool read_number(std::string_view& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc();
}

// Takes "/*c7.3*/" or "/*c7.3.42*/" off the end. Another comment is a comment.
void take_comment(std::string_view& text, Command& command) {
  const std::size_t open = text.rfind("/*");
  if (!text.ends_with("*/") || open == std::string_view::npos) return;
  std::string_view inside = text.substr(open + 2, text.size() - open - 4);
  text = trimmed(text.substr(0, open));
  const auto number_after = [&](char mark, std::uint64_t& number) {
    if (!inside.starts_with(mark)) return false;
    inside.remove_prefix(1);
    return read_number(inside, number);
  };
  LeaseMark lease;
  if (!number_after('c', lease.client) || !number_after('.', lease.number)) return;
  std::uint64_t luck = lease.client;
  if (!inside.empty() && !(number_after('.', luck) && inside.empty())) return;
  command.lease = lease;
  command.luck = luck;
}

// The next word, with its quotes taken off and a ? replaced.
class Words {
 public:
  Words(std::string_view text, const std::vector<std::string>& parameters)
      : rest_(text), parameters_(parameters) {}

  std::string next() {
    rest_ = trimmed(rest_);
    const bool quoted = rest_.starts_with('\'');
    const std::size_t end = quoted ? rest_.find('\'', 1) : rest_.find_first_of(" \t\r\n");
    const std::size_t from = quoted ? 1 : 0;
    const std::string_view word = rest_.substr(from, end - from);
    rest_ = end == std::string_view::npos ? "" : rest_.substr(end + 1);
    if (quoted || word != "?") return std::string(word);
    return used_ < parameters_.size() ? parameters_[used_++] : std::string();
  }
  std::string_view rest() { return rest_ = trimmed(rest_); }

 private:
  std::string_view rest_;
  const std::vector<std::string>& parameters_;
  std::size_t used_ = 0;
};

bool parse_rest(Shape shape, Words& words, Command& command) {
  constexpr std::int64_t ms = 1'000'000;
  switch (shape) {
    case Shape::anything:
      return true;
    case Shape::nothing:
      break;
    case Shape::name_value:
      command.name = words.next();
      command.value = words.next();
      if (command.name.empty()) return false;
      break;
    case Shape::name:
      command.name = words.next();
      if (command.name.empty()) return false;
      break;
    case Shape::number: {
      const std::string word = words.next();
      std::string_view text = word;
      if (!read_number(text, command.number) || !text.empty() || command.number < 0) return false;
      command.number = std::min<std::int64_t>(command.number, INT32_MAX) * ms;
      break;
    }
    case Shape::kind: {
      const std::string word = lower_case(words.next());
      for (const auto& known : kinds) {
        if (known.word == word) command.number = known.kind;
      }
      if (command.number == 0) command.number = WEIR_E_OTHER;
      break;
    }
  }
  return words.rest().empty();
}

}  // namespace

Command parse(std::string_view text, const std::vector<std::string>& parameters) {
  Command command;
  text = trimmed(text);
  take_comment(text, command);
  while (text.ends_with(';')) text = trimmed(text.substr(0, text.size() - 1));
  Words words(text, parameters);
  const std::string verb = lower_case(words.next());
  for (const auto& known : verbs) {
    if (known.word != verb) continue;
    if (parse_rest(known.shape, words, command)) command.verb = known.verb;
  }
  return command;
}

}  // namespace weir::sim
