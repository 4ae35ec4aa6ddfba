// SPDX-License-Identifier: MIT
//
// The JSON Schema against the parser: a small validator of the subset that the schema uses, run
// over the files of the golden diagnostics. Whatever the parser accepts, the schema must accept,
// and the faults that a schema can see it must see.
#include "core/config/reference.hpp"
#include "core/config/toml_tree.hpp"
#include "tests/config/support.hpp"

#include <algorithm>
#include <regex>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

namespace weir::config {
namespace {

using Json = nlohmann::json;

Json to_json(const Node& node) {
  switch (node.kind) {
    case Kind::table: {
      Json object = Json::object();
      for (const Entry& entry : node.entries) object[entry.key] = to_json(entry.value);
      return object;
    }
    case Kind::array: {
      Json array = Json::array();
      for (const Node& item : node.items) array.push_back(to_json(item));
      return array;
    }
    case Kind::string:
      return node.text;
    case Kind::integer:
      return node.integer;
    case Kind::boolean:
      return node.boolean;
    case Kind::real:
      return 0.5;
    case Kind::time:
      return nullptr;  // TOML's dates are no type of JSON
  }
  return nullptr;
}

class Validator {
 public:
  explicit Validator(Json schema) : root_(std::move(schema)) {}

  [[nodiscard]] bool accepts(const Json& value) const { return accepts(root_, value); }

 private:
  [[nodiscard]] bool accepts(const Json& schema, const Json& value) const {
    static const std::set<std::string> known{"$schema",     "title",
                                             "description", "definitions",
                                             "default",     "type",
                                             "enum",        "pattern",
                                             "minimum",     "maximum",
                                             "items",       "properties",
                                             "required",    "additionalProperties",
                                             "anyOf",       "$ref"};
    for (const auto& [word, unused] : schema.items())
      EXPECT_TRUE(known.count(word) == 1) << "the schema uses " << word;
    if (schema.contains("$ref")) {
      const std::string name =
          schema["$ref"].get<std::string>().substr(std::string("#/definitions/").size());
      return accepts(root_["definitions"].at(name), value);
    }
    if (schema.contains("anyOf")) {
      const Json& any = schema["anyOf"];
      if (std::none_of(any.begin(), any.end(),
                       [&](const Json& one) { return accepts(one, value); }))
        return false;
    }
    if (schema.contains("enum")) {
      const Json& words = schema["enum"];
      if (std::find(words.begin(), words.end(), value) == words.end()) return false;
    }
    if (schema.contains("type") && !has_type(value, schema["type"])) return false;
    if (value.is_string() && schema.contains("pattern") &&
        !std::regex_search(value.get<std::string>(),
                           std::regex(schema["pattern"].get<std::string>())))
      return false;
    if (value.is_number() && schema.contains("minimum") && value < schema["minimum"]) return false;
    if (value.is_number() && schema.contains("maximum") && value > schema["maximum"]) return false;
    if (value.is_array() && schema.contains("items")) {
      for (const Json& item : value) {
        if (!accepts(schema["items"], item)) return false;
      }
    }
    return !value.is_object() || accepts_object(schema, value);
  }

  [[nodiscard]] bool accepts_object(const Json& schema, const Json& value) const {
    for (const Json& name : schema.value("required", Json::array())) {
      if (!value.contains(name.get<std::string>())) return false;
    }
    const Json properties = schema.value("properties", Json::object());
    for (const auto& [key, item] : value.items()) {
      if (properties.contains(key)) {
        if (!accepts(properties[key], item)) return false;
      } else if (schema.contains("additionalProperties")) {
        const Json& more = schema["additionalProperties"];
        if (more.is_boolean() ? !more.get<bool>() : !accepts(more, item)) return false;
      }
    }
    return true;
  }

  static bool has_type(const Json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_number_integer();
    if (type == "boolean") return value.is_boolean();
    ADD_FAILURE() << "the schema uses type " << type;
    return false;
  }

  Json root_;
};

bool schema_accepts(std::string_view toml) {
  static const Validator validator(Json::parse(config_schema()));
  const auto root = read_toml(toml);
  return root && validator.accepts(to_json(*root));
}

TEST(Schema, accepts_good_files) {
  for (const std::string_view lines : {
           "",
           "url = 'x'\nmin = 1\nmax = 10000",
           "max = { env = \"A\", default = 3 }",
           "url = { file = \"x\" }",
           "acquire_timeout = \"1m30s\"",
           "keepalive = \"off\"",
           "acquire_timeout = \"0s\"",
           "idle_timeout = \"none\"",
           "propagate_create_error = true",
           "log = []",
           "log = [\"query\", { env = \"A\" }]",
           "init_sql = [\"select 1\"]",
           "options = { a = 1, b = true, c = \"x\", d = { env = \"A\" } }",
           "retry = { attempts = 3, jitter = \"none\", on = [\"conflict\"], base = \"10ms\" }",
           "health = { interval = \"30s\", sql = \"SELECT 1\" }",
           "health = { interval = \"off\" }",
           "[drivers]\nsearch = [\"a\"]\nallow_env = true\n[drivers.x]\npath = \"p\"",
           "[admin]\nsocket = \"a.sock\"",
       })
    EXPECT_TRUE(schema_accepts(in_pool(lines))) << lines;
}

TEST(Schema, refuses_what_it_can_see) {
  for (const std::string_view lines : {
           "max = 0",
           "max = 10001",
           "max = \"3\"",
           "acquire_timeout = 30",
           "acquire_timeout = \"30\"",
           "acquire_timeout = \"30sec\"",
           "keepalive = \"none\"",
           "reap_interval = \"none\"",
           "reset = \"allways\"",
           "log = \"info\"",
           "log = [\"warning\"]",
           "url = { evn = \"A\" }",
           "max = { file = \"x\" }",
           "acquireTimeoutMillis = 30000",
           "health = { interval = \"none\" }",
           "health = true",
           "retry = { attempts = 0 }",
           "retry = { on = [\"always\"] }",
           "retry = { pause = \"1s\" }",
           "retry = 3",
           "options = { a = [1] }",
           "[drivers]\nallow_env = 1",
           "[drivers.x]\nsha256 = \"abc\"",
           "[pool.b]\nmax = 3",
           "[admin]\nsokcet = \"a.sock\"",
           "[pools]",
       })
    EXPECT_FALSE(schema_accepts(in_pool(lines))) << lines;
  EXPECT_FALSE(schema_accepts("[pool.a]\ndriver = \"x\""));
  EXPECT_FALSE(schema_accepts("version = 2\n[pool.a]\ndriver = \"x\""));
}

TEST(Schema, knows_the_defaults_of_the_headers) {
  const Json pool = Json::parse(config_schema())["definitions"]["pool"]["properties"];
  EXPECT_EQ(pool["max"]["default"], PoolConfig{}.max);
  EXPECT_EQ(pool["acquire_timeout"]["default"], "30s");
  EXPECT_EQ(pool["keepalive"]["default"], "off");
  EXPECT_EQ(pool["log"]["default"], Json({"info", "warn", "error"}));
  EXPECT_FALSE(pool["url"].contains("default"));
}

}  // namespace
}  // namespace weir::config
