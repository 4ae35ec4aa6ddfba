// SPDX-License-Identifier: MIT
//
// Files: where relative paths start, and every file that cannot be read. Errors, never a hang.
#include "tests/config/support.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace weir::config {
namespace {

std::string error_of(const std::string& path) {
  const auto config = Config::from_file(path);
  if (config) return "accepted";
  EXPECT_EQ(config.error().code(), Code::config_unreadable) << path;
  EXPECT_EQ(config.error().exit_code(), 65);
  return config.error().message();
}

TEST(FromFile, relative_paths_start_at_the_file) {
  const ScratchDir dir;
  const std::string file = dir.write("weir.toml", in_pool("[drivers]\nsearch = [\"../x\"]"));
  const auto config = Config::from_file(file);
  ASSERT_TRUE(config) << config.error().what();
  EXPECT_EQ(config->file, file);
  EXPECT_EQ(config->base_dir, dir.path());
  const std::string parent = std::filesystem::path(dir.path()).parent_path().string();
  EXPECT_EQ(config->drivers.search.at(0), (parent == "/" ? "" : parent) + "/x");
}

TEST(FromFile, missing) {
  EXPECT_EQ(error_of("/nonexistent/weir.toml"),
            "the configuration file /nonexistent/weir.toml does not exist; `weir init` writes a "
            "first one");
}

TEST(FromFile, not_a_file) {
  const ScratchDir dir;
  EXPECT_EQ(error_of(dir.path()), "the configuration file " + dir.path() + " is a directory");
  const std::string fifo = dir.path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(error_of(fifo), "the configuration file " + fifo + " is not a regular file");
  EXPECT_EQ(error_of("/dev/zero"), "the configuration file /dev/zero is not a regular file");
  EXPECT_EQ(error_of(""), "the configuration file \"\" is not a file's name");
  EXPECT_EQ(error_of(std::string("a\0b", 3)),
            "the configuration file a\\x00b is not a file's name");
}

TEST(FromFile, a_file_below_a_file) {
  const ScratchDir dir;
  const std::string file = dir.write("plain", "x") + "/weir.toml";
  EXPECT_EQ(error_of(file), "the configuration file " + file + " cannot be read: Not a directory");
}

TEST(FromFile, unreadable) {
  const ScratchDir dir;
  const std::string file = dir.write("weir.toml", in_pool(""), 0000);
  const bool root = ::geteuid() == 0;  // who may read everything
  if (root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const std::string message = error_of(file);
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_EQ(message, "the configuration file " + file + " cannot be read: Permission denied");
  EXPECT_EQ(error_of("/proc/self/mem"),
            "the configuration file /proc/self/mem cannot be read: Input/output error");
}

TEST(FromFile, ten_megabytes) {
  const ScratchDir dir;
  const std::string file = dir.write("weir.toml", std::string(10'000'000, '#'));
  EXPECT_EQ(error_of(file), "the configuration file " + file + " is larger than 1024 KiB");
  const auto text = parse_with(std::string(10'000'000, '#'));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message(), "app.toml is larger than 1024 KiB");
}

TEST(FromFile, an_empty_file_says_what_to_write) {
  const ScratchDir dir;
  const auto config = Config::from_file(dir.write("weir.toml", ""));
  ASSERT_FALSE(config);
  EXPECT_NE(config.error().message().find("version = 1"), std::string::npos);
  EXPECT_NE(config.error().message().find("[pool.main]"), std::string::npos);
}

TEST(SecretFile, every_way_to_be_unusable) {
  const ScratchDir dir;
  dir.write("open", "pw", 0644);
  dir.write("empty", "\n");
  dir.write("large", std::string(100'000, 'x'));
  ASSERT_EQ(::mkfifo(dir.path("fifo").c_str(), 0600), 0);
  struct Case {
    const char* file;
    const char* reason;
  };
  constexpr Case cases[] = {
      {"missing", "does not exist"},
      {"open", "can be read by every user of this machine"},
      {"empty", "is empty"},
      {"large", "is larger than 64 KiB"},
      {"fifo", "is not a regular file"},
      {".", "is a directory"},
  };
  for (const Case& c : cases) {
    const auto parsed =
        parse_with(in_pool("url = { file = \"" + std::string(c.file) + "\" }"), {}, dir.path());
    ASSERT_FALSE(parsed) << c.file;
    EXPECT_EQ(parsed.error().code(), Code::config_unresolved) << c.file;
    const std::string file = c.file == std::string(".") ? dir.path() : dir.path(c.file);
    EXPECT_NE(parsed.error().message().find("secret file " + file + " " + c.reason + "\n"),
              std::string::npos)
        << parsed.error().message();
  }
}

std::string repeated(std::string_view part, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += part;
  return out;
}

TEST(Hostile, nesting_ends_in_an_error_and_not_in_the_stack) {
  for (const std::string& text :
       {repeated("[", 500'000), "a = " + repeated("[", 500'000), "a = " + repeated("{", 500'000),
        "x" + repeated(".a", 300'000) + " = 1", "[x" + repeated(" . \"a\"", 100'000) + "]",
        "a = {b" + repeated(".a", 300'000) + " = 1}"}) {
    const auto parsed = parse_with(text);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code(), Code::config_syntax);
    EXPECT_LT(parsed.error().message().size(), 1000u);
  }
}

TEST(Hostile, dots_and_brackets_in_text_do_not_count) {
  const std::string dots = repeated(".", 200);
  const std::string brackets = repeated("[", 200);
  EXPECT_EQ(pool_of(in_pool("init_sql = ['" + dots + brackets + "', \"\\\"" + dots + "\"] # " +
                            brackets + "\nurl = \"\"\"" + dots + "\n" + brackets + "\"\"\""))
                .init_sql.size(),
            2u);
}

TEST(Hostile, many_faults_are_counted_and_not_all_shown) {
  std::string lines;
  for (int i = 0; i < 5000; ++i) lines += "k" + std::to_string(i) + " = 1\n";
  const auto parsed = parse_with(in_pool(lines));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code(), Code::config_many);
  EXPECT_NE(parsed.error().message().find("... and 4900 more\n\n5000 errors"), std::string::npos);
  EXPECT_LT(parsed.error().message().size(), 100'000u);
}

}  // namespace
}  // namespace weir::config
