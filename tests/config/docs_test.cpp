// SPDX-License-Identifier: MIT
//
// The checked-in documents that are made from the option table are what the table makes.
#include "core/config/foreign_names.hpp"
#include "core/config/option_table.hpp"
#include "core/config/reference.hpp"
#include "tests/config/support.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace weir::config {
namespace {

std::string path_of(const std::string& name) {
  const char* root = std::getenv("WEIR_TEST_SOURCE_ROOT");
  return std::string(root != nullptr ? root : ".") + "/docs/" + name;
}

void expect_file(const std::string& name, const std::string& expected) {
  const std::string path = path_of(name);
  if (std::getenv("WEIR_UPDATE_DOCS") != nullptr) std::ofstream(path, std::ios::binary) << expected;
  std::ifstream file(path, std::ios::binary);
  const std::string actual((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
  EXPECT_TRUE(actual == expected) << "docs/" << name << " is not what the option table says; write "
                                  << "it anew: WEIR_UPDATE_DOCS=1 ./dev test -- config_docs";
}

TEST(Docs, options_page_is_current) { expect_file("options.md", options_markdown()); }

TEST(Docs, schema_is_current) { expect_file("weir.schema.json", config_schema()); }

TEST(Docs, the_example_of_the_options_page_is_a_good_file) {
  const std::string page = options_markdown();
  constexpr std::string_view fence = "```toml\n";
  std::size_t count = 0;
  for (std::size_t at = page.find(fence); at != std::string::npos; at = page.find(fence, at + 1)) {
    const std::size_t start = at + fence.size();
    const auto parsed = parse_with(page.substr(start, page.find("```", start) - start));
    EXPECT_TRUE(parsed) << parsed.error().what();
    ++count;
  }
  EXPECT_EQ(count, 1u);
}

TEST(Docs, the_help_names_every_key) {
  const std::string help = options_help();
  for (const Option& option : options()) {
    EXPECT_NE(help.find("\n  " + std::string(option.name) + " "), std::string::npos) << option.name;
    EXPECT_NE(option_help(option.name).find(option.summary), std::string::npos) << option.name;
  }
  EXPECT_EQ(option_help("no_such_key"), "");
}

// The specification: a change of the column is a change of what a reload promises.
TEST(Reach, of_each_option_is_what_a_running_pool_can_do) {
  constexpr std::array<std::string_view, 3> size{"min", "max", "quarantine_max"};
  constexpr std::array<std::string_view, 2> generation{"url", "init_sql"};
  const auto has = [](const auto& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const Option& option : options()) {
    Reach expected = Reach::live;
    if (option.scope != Scope::pool || option.name == "driver") expected = Reach::restart;
    if (has(size, option.name)) expected = Reach::size;
    if (has(generation, option.name)) expected = Reach::generation;
    if (find_pool_table(option.scope) != nullptr) expected = Reach::live;  // one has a `max` too
    if (option.scope == Scope::auto_size) expected = Reach::size;
    EXPECT_EQ(option.reach, expected) << option.name;
  }
}

TEST(Reach, is_said_of_every_option_in_its_help) {
  for (const Option& option : options()) {
    const bool said = option_help(option.name).find("\n  reload: ") != std::string::npos;
    EXPECT_EQ(said, option.scope != Scope::file) << option.name;
  }
  EXPECT_NE(option_help("max").find("reload: size: connections are opened up to `min`"),
            std::string::npos)
      << option_help("max");
}

TEST(ForeignNames, lead_to_keys_that_exist_and_to_values_that_are_accepted) {
  for (const ForeignName& foreign : foreign_names()) {
    SCOPED_TRACE(foreign.name);
    EXPECT_EQ(find_option(Scope::pool, foreign.name), nullptr) << "is a key of ours";
    if (foreign.key.empty()) {
      EXPECT_FALSE(foreign.note.empty());
      continue;
    }
    const Option* option = find_option(Scope::pool, foreign.key);
    ASSERT_NE(option, nullptr);
    Node value;
    value.kind = foreign.if_true.empty() ? Kind::integer : Kind::boolean;
    value.integer = 30;
    value.boolean = true;
    const auto replacement = replacement_for(foreign.name, value);
    ASSERT_TRUE(replacement);
    if (replacement->line.find("…") != std::string::npos) continue;
    // Together with limits that suit every value.
    const std::string lines = replacement->line + "\ncreate_retry_max = \"1m\"" +
                              (option->name == "max" ? "" : "\nmax = 100");
    EXPECT_EQ(faults_of(in_pool(lines)), "accepted") << replacement->line;
  }
}

TEST(ForeignNames, of_the_pools_that_have_a_chapter_are_on_the_page_for_those_who_come_from_there) {
  std::vector<std::string> rows;
  std::ifstream page(path_of("coming-from.md"));
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| `")) rows.push_back(line);
  }
  const auto row_of = [&](std::string_view name) {
    const std::string start = "| `" + std::string(name) + "` |";
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&](const std::string& r) { return r.starts_with(start); });
    return row == rows.end() ? std::string() : *row;
  };
  int found = 0;
  for (const ForeignName& foreign : foreign_names()) {
    const auto is_of = [&](std::string_view pool) {
      return foreign.pools.find(pool) != std::string_view::npos;
    };
    if (!is_of("Prisma") && !is_of("tarn") && !is_of("HikariCP") && !is_of("r2d2")) continue;
    const std::string ours = foreign.key.empty() ? " | – |" : " | `" + std::string(foreign.key);
    const bool is_name = foreign.name == "poolName";  // is the name of a table here
    EXPECT_NE(row_of(foreign.name).find(is_name ? " | `[pool.NAME]` |" : ours), std::string::npos)
        << foreign.name << ": \"" << row_of(foreign.name) << '"';
    ++found;
  }
  EXPECT_GT(found, 20);
}

}  // namespace
}  // namespace weir::config
