// SPDX-License-Identifier: MIT
//
// Goal: weir/driver.h and weir/insert.h keep the manners that they promise: each function says on
// which thread it may be called, each member has its place asserted, and no type has a size of the
// platform's choice. Method: read the header as text; it is regular enough.
#include <weir/driver.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

struct Function {
  std::string name;
  std::string comment;
};

struct Struct {
  std::string name;
  std::string body;  // with comments
};

std::string read_source(const std::string& path) {
  const char* root = std::getenv("WEIR_TEST_SOURCE_ROOT");
  std::ostringstream text;
  text << std::ifstream(std::string(root == nullptr ? "." : root) + "/" + path).rdbuf();
  return text.str();
}

// The contract and what extends it.
std::string header() {
  return read_source("core/abi/include/weir/driver.h") +
         read_source("core/abi/include/weir/insert.h");
}

std::string without_comments(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text.compare(at, 2, "/*") == 0) {
      at = text.find("*/", at) + 2;
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::vector<Struct> structs() {
  const std::string text = header();
  std::vector<Struct> all;
  const std::string start = "\ntypedef struct ";
  for (std::size_t at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
    const std::size_t line_end = text.find('\n', at + 1);
    const std::size_t brace = text.find('{', at);
    if (brace > line_end) continue;  // an opaque handle
    const std::string name = text.substr(at + start.size(), brace - 1 - at - start.size());
    const std::size_t end = text.find("\n} " + name + ";", brace);
    all.push_back({name, text.substr(brace + 1, end - brace - 1)});
  }
  return all;
}

std::string body_of(const std::string& name) {
  for (const Struct& one : structs()) {
    if (one.name == name) return one.body;
  }
  return {};
}

// The pieces between semicolons; a nested union counts as one piece.
std::vector<std::string> pieces(const std::string& body) {
  std::vector<std::string> all;
  std::string piece;
  int depth = 0;
  for (const char c : without_comments(body)) {
    depth += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (c == ';' && depth == 0) {
      all.push_back(piece);
      piece.clear();
    } else {
      piece += c;
    }
  }
  return all;
}

std::string member_name(const std::string& piece) {
  std::smatch match;
  if (std::regex_search(piece, match, std::regex(R"(\(\*(\w+)\))"))) return match[1];
  if (std::regex_search(piece, match, std::regex(R"((\w+)(\[\d+\])?\s*$)"))) return match[1];
  return "?";
}

// Each function member with the comment right above it.
std::vector<Function> functions(const std::string& body) {
  std::vector<Function> all;
  std::string comment;
  for (std::size_t at = 0; at < body.size();) {
    if (body.compare(at, 2, "/*") == 0) {
      const std::size_t end = body.find("*/", at);
      comment = body.substr(at + 2, end - at - 2);
      at = end + 2;
    } else if (body.compare(at, 2, "(*") == 0) {
      all.push_back({body.substr(at + 2, body.find(')', at) - at - 2), comment});
      comment.clear();
      at = body.find(';', at);
    } else {
      ++at;
    }
  }
  return all;
}

std::string last_word(std::string comment) {
  while (!comment.empty() && std::isspace(static_cast<unsigned char>(comment.back())) != 0) {
    comment.pop_back();
  }
  const std::size_t space = comment.find_last_of(" \n*");
  return space == std::string::npos ? comment : comment.substr(space + 1);
}

TEST(DriverHeader, each_function_of_a_driver_has_a_thread_tag) {
  const std::vector<Function> all = functions(body_of("weir_driver"));
  EXPECT_EQ(all.size(), (sizeof(weir_driver) - offsetof(weir_driver, env_create)) / sizeof(void*));
  for (const Function& one : functions(body_of("weir_insert"))) {
    EXPECT_EQ(last_word(one.comment), "[conn]") << one.name;
  }
  for (const Function& one : all) {
    const std::string tag = last_word(one.comment);
    EXPECT_TRUE(tag == "[any]" || tag == "[env]" || tag == "[conn]")
        << one.name << "() ends its comment with \"" << tag << "\"";
  }
}

TEST(DriverHeader, each_service_of_a_host_may_be_called_from_any_thread) {
  const std::vector<Function> all = functions(body_of("weir_host"));
  EXPECT_EQ(all.size(), (sizeof(weir_host) - offsetof(weir_host, now)) / sizeof(void*));
  for (const Function& one : all) EXPECT_EQ(last_word(one.comment), "[any]") << one.name;
}

TEST(DriverHeader, the_entry_has_the_tag_of_loading) {
  const std::string text = header();
  const std::size_t entry = text.find("(*weir_plugin_entry)");
  const std::size_t end = text.rfind("*/", entry);
  EXPECT_EQ(last_word(text.substr(0, end)), "[load]");
}

TEST(DriverHeader, says_at_its_top_what_each_tag_means) {
  const std::string text = header();
  const std::string top = text.substr(0, text.find("#ifndef"));
  for (const char* tag : {"[load]", "[any]", "[env]", "[conn]"}) {
    EXPECT_NE(top.find(tag), std::string::npos) << tag;
  }
}

TEST(DriverHeader, each_member_of_each_struct_has_its_place_asserted) {
  const std::string layout = read_source("tests/abi/layout.h");
  const std::vector<Struct> all = structs();
  EXPECT_GE(all.size(), 20U);
  for (const Struct& one : all) {
    EXPECT_NE(layout.find("WEIR_SIZE(" + one.name + ", "), std::string::npos) << one.name;
    for (const std::string& piece : pieces(one.body)) {
      const std::string member = member_name(piece);
      EXPECT_NE(layout.find("WEIR_AT(" + one.name + ", " + member + ", "), std::string::npos)
          << one.name << "." << member;
    }
  }
}

TEST(DriverHeader, no_member_has_a_type_whose_size_the_platform_chooses) {
  const std::regex banned(
      R"(\b(long|short|int|unsigned|signed|bool|_Bool|enum|float|time_t|wchar_t|va_list|FILE)\b)");
  for (const Struct& one : structs()) {
    for (const std::string& piece : pieces(one.body)) {
      EXPECT_FALSE(std::regex_search(piece, banned)) << one.name << ":" << piece;
    }
  }
}

TEST(DriverHeader, growable_structs_start_with_their_size) {
  const std::vector<std::string> frozen{"weir_text", "weir_cell", "weir_option"};
  for (const Struct& one : structs()) {
    const bool is_frozen = std::find(frozen.begin(), frozen.end(), one.name) != frozen.end();
    EXPECT_EQ(member_name(pieces(one.body).front()) == "struct_size", !is_frozen) << one.name;
  }
}

TEST(DriverHeader, functions_are_declared_as_not_throwing) {
  for (const char* name : {"weir_driver", "weir_host", "weir_insert"}) {
    for (const std::string& piece : pieces(body_of(name))) {
      if (piece.find("(*") == std::string::npos) continue;
      EXPECT_NE(piece.find("WEIR_NOEXCEPT"), std::string::npos) << member_name(piece);
    }
  }
}

}  // namespace
