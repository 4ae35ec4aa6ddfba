// SPDX-License-Identifier: MIT
//
// The JSON Schema. Draft 4 and no more than taplo understands: type, enum, pattern, minimum,
// maximum, required, anyOf, $ref, properties, additionalProperties.
//
// The schema accepts every file that the parser accepts. The converse cannot be: it knows no
// contradictions, variables or files.
#include "core/base/text.hpp"
#include "core/config/option_table.hpp"
#include "core/config/reference.hpp"

#include <iterator>
#include <vector>

#include <fmt/format.h>

namespace weir::config {
namespace {

std::string json(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out + '"';
}

constexpr std::string_view duration_pattern = "([0-9]+(h|m|s|ms|us|ns))+";

std::string enumeration(std::span<const std::string_view> words) {
  std::string out = R"("enum": [)";
  for (std::size_t i = 0; i < words.size(); ++i) out += (i == 0 ? "" : ", ") + json(words[i]);
  return out + "]";
}

// What the value itself may be, as the members of a JSON object.
std::string plain_type(const Option& option) {
  switch (option.type) {
    case Type::integer:
      if (!option.word.empty()) {
        return fmt::format(R"("anyOf": [{{"type": "integer", "minimum": {}, "maximum": {}}}, {{)"
                           R"("enum": [{}]}}])",
                           option.least, option.most, json(option.word));
      }
      return fmt::format(R"("type": "integer", "minimum": {}, "maximum": {})", option.least,
                         option.most);
    case Type::duration:
      return fmt::format(R"("type": "string", "pattern": "^({}{})$")", duration_pattern,
                         option.none.empty() ? "" : fmt::format("|{}", option.none));
    case Type::choice: {
      std::string out = enumeration(option.choices);
      if (!option.if_true.empty()) out.insert(out.size() - 1, ", true, false");
      return out;
    }
    case Type::text:
      if (option.name == "driver") return R"("type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$")";
      if (option.name == "sha256") return R"("type": "string", "pattern": "^[0-9a-fA-F]{64}$")";
      return R"("type": "string")";
    case Type::boolean:
      return R"("type": "boolean")";
    case Type::list:
      break;
  }
  const std::string element =
      option.choices.empty() ? R"("type": "string")" : enumeration(option.choices);
  return fmt::format(
      R"("type": "array", "items": {{"anyOf": [{{{}}}, {{"$ref": "#/definitions/env"}}]}})",
      element);
}

std::string default_json(const Option& option) {
  if (option.required || option.secret || option.type == Type::text) return {};
  // TOML's spelling of numbers, booleans, text and lists of text is JSON's.
  return fmt::format(R"(, "default": {})", to_toml(option, default_of(option)));
}

std::string property(const Option& option) {
  const std::string description = fmt::format("{}. {}", option.summary, option.doc);
  const std::string plain = plain_type(option);
  std::string type = plain;
  if (option.scope != Scope::file)
    type = fmt::format(R"("anyOf": [{{{}}}, {{"$ref": "#/definitions/{}"}}])", plain,
                       option.secret ? "secret" : "env");
  return fmt::format("{}: {{\"description\": {}, {}{}}}", json(option.name), json(description),
                     type, default_json(option));
}

std::string properties(Scope scope, std::string_view indent) {
  std::string out;
  for (const Option& option : options()) {
    if (option.scope != scope) continue;
    out += fmt::format("{}{}{}", out.empty() ? "" : ",\n", indent, property(option));
  }
  return out;
}

constexpr std::string_view definitions = R"(  "definitions": {
    "env": {
      "description": "A value from the environment; without a default the variable must be set.",
      "type": "object",
      "properties": {
        "env": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
        "default": {}
      },
      "required": ["env"],
      "additionalProperties": false
    },
    "secret": {
      "description": "A value from the environment or from a file that others cannot read.",
      "anyOf": [
        {"$ref": "#/definitions/env"},
        {
          "type": "object",
          "properties": {"file": {"type": "string"}},
          "required": ["file"],
          "additionalProperties": false
        }
      ]
    },
    "driver_option": {
      "anyOf": [
        {"type": "string"}, {"type": "integer"}, {"type": "boolean"},
        {"$ref": "#/definitions/secret"}
      ]
    },
    "pin": {
      "type": "object",
      "properties": {
@PIN@
      },
      "additionalProperties": false
    },
    "pool": {
      "type": "object",
      "properties": {
@POOL@,
        "auto": {
          "description": "The share that max = \"auto\" takes of what the server admits.",
          "type": "object",
          "properties": {
@AUTO@
          },
          "additionalProperties": false
        },
        "health": {
          "description": "A query of the pool's own, now and then.",
          "type": "object",
          "properties": {
@HEALTH@
          },
          "additionalProperties": false
        },
        "retry": {
          "description": "What weir::retry goes by; nothing is repeated by itself.",
          "type": "object",
          "properties": {
@RETRY@
          },
          "additionalProperties": false
        },
        "options": {
          "description": "Options of the database, declared and checked by its driver.",
          "type": "object",
          "additionalProperties": {"$ref": "#/definitions/driver_option"}
        }
      },
      "required": ["driver"],
      "additionalProperties": false
    }
  },
)";

constexpr std::string_view root = R"(  "type": "object",
  "properties": {
@FILE@,
    "pool": {
      "description": "The pools, by name: [pool.main].",
      "type": "object",
      "additionalProperties": {"$ref": "#/definitions/pool"}
    },
    "drivers": {
      "description": "Where plugins are looked for, and which may be loaded.",
      "type": "object",
      "properties": {
@DRIVERS@
      },
      "additionalProperties": {"$ref": "#/definitions/pin"}
    },
    "admin": {
      "description": "A socket that the running program can be asked and told things through.",
      "type": "object",
      "properties": {
@ADMIN@
      },
      "additionalProperties": false
    }
  },
  "required": ["version", "pool"],
  "additionalProperties": false
}
)";

void replace(std::string& text, std::string_view mark, const std::string& with) {
  text.replace(text.find(mark), mark.size(), with);
}

}  // namespace

std::string config_schema() {
  std::string out =
      "{\n"
      "  \"$schema\": \"http://json-schema.org/draft-04/schema#\",\n"
      "  \"title\": \"weir.toml\",\n"
      "  \"description\": \"Configuration of Weir's database connection pools.\",\n";
  out += definitions;
  out += root;
  replace(out, "@PIN@", properties(Scope::pin, "        "));
  replace(out, "@POOL@", properties(Scope::pool, "        "));
  replace(out, "@AUTO@", properties(Scope::auto_size, "            "));
  replace(out, "@HEALTH@", properties(Scope::health, "            "));
  replace(out, "@RETRY@", properties(Scope::retry, "            "));
  replace(out, "@FILE@", properties(Scope::file, "    "));
  replace(out, "@DRIVERS@", properties(Scope::drivers, "        "));
  replace(out, "@ADMIN@", properties(Scope::admin, "        "));
  return out;
}

}  // namespace weir::config
