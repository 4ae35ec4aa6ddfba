// SPDX-License-Identifier: MIT
//
// References: { env = "NAME", default = ... } and { file = "..." }, and what must not be echoed.
#include "core/base/suggest.hpp"
#include "core/base/text.hpp"
#include "core/config/file_text.hpp"
#include "core/config/foreign_names.hpp"
#include "core/config/reader.hpp"
#include "core/config/redact.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace weir::config {
namespace {

constexpr std::size_t secret_bytes_max = 64 * 1024;

Input literal(const Node& node) {
  Input input;
  input.kind = node.kind;
  input.text = node.text;
  input.integer = node.integer;
  input.boolean = node.boolean;
  input.items = &node.items;
  input.origin.place = node.place;
  return input;
}

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return is_lower(to_lower(c)) || c == '_'; };
  return !name.empty() && name.size() <= 128 && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || is_digit(c); });
}

void hide_all(const Node& node, Source& source) {
  if (node.kind != Kind::table && node.kind != Kind::array) source.hide(node.place);
  for (const Node& item : node.items) hide_all(item, source);
  for (const Entry& entry : node.entries) hide_all(entry.value, source);
}

// The value of a key that may be shown, unless it is nothing that belongs there.
void hide_suspicious(const Node& node, const Option& option, Source& source) {
  const bool free_text =
      option.type == Type::text || (option.type == Type::list && option.choices.empty());
  if (node.kind == Kind::string &&
      (looks_secret(node.text) || !(free_text || is_modest(node.text))))
    source.hide(node.place);
  for (const Node& item : node.items) hide_suspicious(item, option, source);
  for (const Entry& entry : node.entries) {
    const bool name = entry.key == "env" || entry.key == "file";
    if (name && looks_secret(entry.value.text)) source.hide(entry.value.place);
    if (entry.key == "default") hide_suspicious(entry.value, option, source);
    if (!name && entry.key != "default") hide_all(entry.value, source);
  }
}

// The value of a secret key: of a reference the names remain visible.
void hide_value(const Node& node, Source& source) {
  if (node.kind != Kind::table) return hide_all(node, source);
  for (const Entry& entry : node.entries) {
    const bool name = entry.value.kind == Kind::string &&
                      ((entry.key == "env" && is_variable_name(entry.value.text)) ||
                       (entry.key == "file" && !looks_secret(entry.value.text)));
    if (!name) hide_all(entry.value, source);
  }
}

// The key that a misspelt one, or another pool's, was meant to be; null if that might be a
// secret's.
const Option* public_misspelt(const Entry& entry) {
  const std::string key = lower_case(entry.key);
  for (const std::string_view sign : {"key", "cred", "auth", "user"}) {
    if (key.find(sign) != std::string::npos) return nullptr;
  }
  if (looks_secret(key)) return nullptr;
  const auto replacement = replacement_for(entry.key, entry.value);
  const std::vector<std::string_view> names = option_names(Scope::pool);
  const Option* meant =
      replacement ? replacement->option : find_option(Scope::pool, nearest(entry.key, names));
  return meant != nullptr && is_public_key(meant->name) ? meant : nullptr;
}

void hide_table(const Node& table, Scope scope, Source& source) {
  for (const Entry& entry : table.entries) {
    const Option* option = find_option(scope, entry.key);
    if (option == nullptr && scope == Scope::pool && entry.key == "options") {
      for (const Entry& item : entry.value.entries) hide_value(item.value, source);
      if (entry.value.kind != Kind::table) hide_all(entry.value, source);
      continue;
    }
    const PoolTable* below = scope == Scope::pool ? find_pool_table(entry.key) : nullptr;
    if (below != nullptr && entry.value.kind == Kind::table) {
      hide_table(entry.value, below->scope, source);
      continue;
    }
    if (option == nullptr && scope == Scope::drivers && entry.value.kind == Kind::table) {
      hide_table(entry.value, Scope::pin, source);
      continue;
    }
    const bool misspelt = option == nullptr && scope == Scope::pool;
    const Option* meant = misspelt ? public_misspelt(entry) : option;
    if (meant == nullptr)
      hide_all(entry.value, source);
    else if (!is_public_key(meant->name))
      hide_value(entry.value, source);
    else
      hide_suspicious(entry.value, *meant, source);
  }
}

}  // namespace

void hide_secrets(const Node& root, Source& source) {
  for (const Entry& entry : root.entries) {
    if (entry.key == "version") continue;
    if (entry.value.kind != Kind::table ||
        (entry.key != "pool" && entry.key != "drivers" && entry.key != "admin")) {
      hide_all(entry.value, source);
      continue;
    }
    if (entry.key == "drivers") hide_table(entry.value, Scope::drivers, source);
    if (entry.key == "admin") hide_table(entry.value, Scope::admin, source);
    for (const Entry& item : entry.value.entries) {
      if (entry.key == "pool" && item.value.kind == Kind::table)
        hide_table(item.value, Scope::pool, source);
      else if (entry.key == "pool")
        hide_all(item.value, source);
    }
  }
}

std::optional<Input> Reader::resolve(const Slot& slot, const Node& node) {
  if (node.kind != Kind::table) return literal(node);
  const Entry* env = node.find("env");
  const Entry* file = node.find("file");
  if (env == nullptr && file == nullptr && !(node.is_inline && node.find("default") != nullptr)) {
    Input input = literal(node);
    wrong_type(
        slot, input,
        slot.option == nullptr ? "text, a whole number, true or false" : type_text(*slot.option),
        node.is_inline ? "a reference is { env = \"NAME\", default = … }" : "");
    return std::nullopt;
  }
  if (!check_reference(slot, node)) {
    failed(slot);
    return std::nullopt;
  }
  auto input = env != nullptr ? resolve_env(slot, node, *env) : resolve_file(slot, node, *file);
  if (!input) failed(slot);
  return input;
}

bool Reader::check_reference(const Slot& slot, const Node& node) {
  constexpr std::array<std::string_view, 3> keys{"env", "default", "file"};
  const std::size_t before = faults_.size();
  for (const Entry& entry : node.entries) {
    if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
    const std::string_view near = nearest(entry.key, keys);
    report(Code::config_unknown_key, entry.key_place,
           fmt::format("unknown key `{}` in the reference of `{}`", printable(entry.key),
                       printable(slot.key)),
           near.empty() ? "a reference has env, default or file"
                        : fmt::format("did you mean `{}`?", near));
  }
  const Entry* env = node.find("env");
  const Entry* file = node.find("file");
  const Entry* fallback = node.find("default");
  if (env != nullptr && file != nullptr)
    report(Code::config_conflict, file->key_place,
           fmt::format("`{}` cannot come from both a variable and a file", printable(slot.key)),
           "remove one of them");
  else if (fallback != nullptr && env == nullptr)
    report(Code::config_conflict, fallback->key_place, "`default` goes with `env` only",
           "add env = \"NAME\", or remove it");
  if (fallback != nullptr && fallback->value.kind == Kind::table)
    report(Code::config_type, fallback->value.place, "`default` cannot be a reference itself",
           "write the value");
  for (const Entry* name : {env, file}) {
    if (name != nullptr && name->value.kind != Kind::string)
      report(Code::config_type, name->value.place,
             fmt::format("`{}` must be text, not {}", name->key, describe(name->value.kind)),
             name == env ? "the name of a variable" : "the path of a file");
  }
  return faults_.size() == before;
}

std::optional<Input> Reader::resolve_env(const Slot& slot, const Node& node, const Entry& env) {
  const std::string& name = env.value.text;
  if (!is_variable_name(name)) {
    report(Code::config_value, env.value.place, "this is not the name of an environment variable",
           "letters, digits and _");
    return std::nullopt;
  }
  const std::optional<std::string> value = environment_(name);
  if (value && !value->empty()) {
    Input input;
    input.text = *value;
    input.origin = {Origin::From::environment, name, node.place};
    return input;
  }
  if (const Entry* fallback = node.find("default")) return literal(fallback->value);
  // "" is never what was meant: an empty URL would open a new database in memory.
  report(Code::config_unresolved, env.value.place,
         fmt::format("environment variable `{}` is {}", name, value ? "empty" : "not set"),
         fmt::format("`{}` of {} needs it", printable(slot.key), table_name(slot.table)),
         {fmt::format("set it, or give a default: {{ env = \"{}\", default = … }}", name)});
  return std::nullopt;
}

std::optional<Input> Reader::resolve_file(const Slot& slot, const Node& node, const Entry& file) {
  if (!slot.secret) {
    report(Code::config_value, file.key_place,
           fmt::format("`{}` cannot come from a file", slot.key),
           "only `url` and the options of a driver can");
    return std::nullopt;
  }
  const std::string path = absolute_path(result_.config.base_dir, file.value.text);
  const bool nul = file.value.text.find('\0') != std::string::npos;
  auto text = nul ? tl::expected<std::string, std::string>(tl::unexpect, "is not a file's name")
                  : read_file_text(path, secret_bytes_max, Privacy::owner_and_group);
  if (text && text->ends_with('\n')) text->pop_back();
  if (text && text->ends_with('\r')) text->pop_back();
  if (text && text->empty()) text = tl::unexpected<std::string>("is empty");
  if (!text) {
    const bool open_to_all = text.error().find("every user") != std::string::npos;
    const bool hidden = looks_secret(file.value.text);
    report(Code::config_unresolved, file.value.place,
           fmt::format("secret file {} {}", hidden ? "(not shown)" : printable(path), text.error()),
           open_to_all ? "chmod o-r it" : fmt::format("`{}` needs it", printable(slot.key)));
    return std::nullopt;
  }
  Input input;
  input.text = std::move(*text);
  input.origin = {Origin::From::secret_file, path, node.place};
  return input;
}

}  // namespace weir::config
