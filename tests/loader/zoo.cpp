// SPDX-License-Identifier: MIT
//
// Goal: each bad plugin is refused with the right class, and the text says what, which file, and
// where was looked. Method: one plugin per fault, through the whole of load(); the process lives
// on.
#include "tests/loader/support.hpp"

#include <elf.h>
#include <string>
#include <sys/stat.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::loader {
namespace {

using test::TempDir;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

struct Animal {
  std::string name;
  std::string id;  // of the error
  std::string words;
};

class Zoo : public testing::TestWithParam<Animal> {};

TEST_P(Zoo, is_refused) {
  const TempDir dir;
  test::put_plugin(dir, GetParam().name);
  const std::string text = test::load_outcome(test::search_in(dir.path()));
  EXPECT_THAT(text, StartsWith(GetParam().id + " driver \"minimal\": "));
  EXPECT_THAT(text, HasSubstr(GetParam().words));
  EXPECT_THAT(text, HasSubstr(dir / "plugin.so"));
  EXPECT_THAT(text, HasSubstr("looked at, in this order:\n    registered by the program: none\n"
                              "    [drivers.minimal] path: not set\n    " +
                              dir / "minimal.toml" + " ([drivers] search): found"));
}

INSTANTIATE_TEST_SUITE_P(
    Loader, Zoo,
    testing::ValuesIn(std::vector<Animal>{
        {"no_symbol", "W204", "no Weir plugin: it does not export weir_plugin_v1"},
        {"wrong_major", "W204", "built for driver ABI"},
        {"short_table", "W204", "its table lacks execute(), which every driver must have (struct_"},
        {"tiny_table", "W204", "its table has struct_size 8, between 24 and"},
        {"odd_table", "W204", "its table has struct_size"},
        {"no_info", "W204", "its table has no info"},
        {"short_info", "W204", "its info has struct_size 32, between"},
        {"lying_deadline", "W204", "claims both deadline_hard and blocking"},
        {"lying_read_only", "W204", "claims read_only_tx without tx"},
        {"past_error", "W204", "its entry wrote beyond the weir_error that it was given"},
        {"past_text", "W204", "its entry wrote beyond the buffer for its text"},
        {"null_long", "W203", "it said: yyyyyyyy"},
        {"lying_caps", "W204", "lacks begin(), though it claims the capability tx"},
        {"no_execute", "W204", "its table lacks execute()"},
        {"bad_name", "W204", "its info.name is \"../minimal\""},
        {"null_silent", "W203", "declined to be loaded; it gave no reason"},
        {"null_text", "W203", "declined to be loaded; it said: the client library is too old"},
        {"unresolved", "W203", "weir_zoo_nobody_defines_this"},
    }),
    [](const auto& animal) { return animal.param.name; });

TEST(Loader, loads_a_good_plugin) {
  const TempDir dir;
  test::put_plugin(dir, "good", "minimal", "license = \"MIT\"\nabi = \"1.0\"");
  auto loaded = load("minimal", test::search_in(dir.path()), "/", {}, test::bare_surroundings());
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ((*loaded)->path, dir / "plugin.so");
  EXPECT_EQ((*loaded)->table.name(), "minimal");
  ASSERT_TRUE((*loaded)->manifest);
  EXPECT_EQ((*loaded)->manifest->file, dir / "minimal.toml");
  EXPECT_EQ((*loaded)->manifest->license, "MIT");
  EXPECT_TRUE((*loaded)->probed);
  EXPECT_EQ((*loaded)->sha256, "");
  EXPECT_THAT((*loaded)->notes, testing::IsEmpty());
  EXPECT_EQ((*loaded)->table->env_create(nullptr, nullptr, nullptr), WEIR_E_INTERNAL);
}

TEST(Loader, uses_a_library_again_that_is_loaded_already) {
  const TempDir dir;
  const TempDir links;
  test::put_plugin(dir, "good");
  ASSERT_EQ(::link((dir / "plugin.so").c_str(), (links / "other.so").c_str()), 0);
  const Surroundings around = test::bare_surroundings();
  auto first = load("minimal", test::search_in(dir.path()), "/", {}, around);
  auto second = load("minimal", test::pinned(links / "other.so"), "/", {}, around);
  ASSERT_TRUE(first && second);
  EXPECT_EQ((*first)->table->env_create, (*second)->table->env_create);
  EXPECT_FALSE((*second)->probed) << "what runs already needs no trial";
}

TEST(Loader, refuses_files_that_are_no_plugins) {
  const TempDir dir;
  const auto outcome_of = [&](const std::string& path) {
    return test::load_outcome(test::pinned(path));
  };
  EXPECT_THAT(outcome_of(dir.write("text.so", "hello")),
              AllOf(StartsWith("W203 "), HasSubstr("text.so is no shared library")));
  EXPECT_THAT(outcome_of(dir.write("empty.so", "")), HasSubstr("empty.so is empty"));
  EXPECT_THAT(outcome_of(dir.make_dir("dir.so")), HasSubstr("dir.so is a directory"));
  EXPECT_THAT(outcome_of(dir / "none.so"),
              AllOf(StartsWith("W201 "), HasSubstr("none.so: no such file")));
  const std::string good = test::read_file(test::zoo_path("good"));
  EXPECT_THAT(outcome_of(dir.write("half.so", good.substr(0, good.size() / 4))),
              AllOf(StartsWith("W203 "), HasSubstr("is truncated")));
  EXPECT_THAT(outcome_of("/proc/self/exe"), StartsWith("W20"));
}

TEST(Loader, refuses_a_manifest_whose_library_is_of_another_class_or_was_cut_short) {
  const TempDir dir;
  const std::string good = test::read_file(test::zoo_path("good"));
  std::string other_class = good;
  other_class[EI_CLASS] = sizeof(void*) == 8 ? ELFCLASS32 : ELFCLASS64;
  const auto outcome_with = [&](const std::string& bytes) {
    dir.write("plugin.so", bytes);
    dir.write("minimal.toml", test::manifest_text());
    return test::load_outcome(test::search_in(dir.path()));
  };
  EXPECT_THAT(outcome_with(other_class),
              AllOf(StartsWith("W203 driver \"minimal\": " + dir / "plugin.so"),
                    HasSubstr("-bit library; this process is"), HasSubstr("minimal.toml (")));
  EXPECT_THAT(outcome_with(good.substr(0, good.size() / 4)),
              AllOf(StartsWith("W203 driver \"minimal\": " + dir / "plugin.so is truncated"),
                    HasSubstr("minimal.toml (")));
}

TEST(Loader, refuses_what_others_could_have_written) {
  const TempDir dir;
  test::put_plugin(dir, "good");
  const DriversConfig strict = test::search_in(dir.path());
  DriversConfig relaxed = strict;
  relaxed.strict_permissions = false;

  ::chmod((dir / "plugin.so").c_str(), 0666);
  EXPECT_THAT(test::load_outcome(strict),
              AllOf(StartsWith("W202 "), HasSubstr(dir / "plugin.so" + " is not trusted"),
                    HasSubstr("strict_permissions")));
  ::chmod((dir / "plugin.so").c_str(), 0644);
  ::chmod((dir / "minimal.toml").c_str(), 0662);
  EXPECT_THAT(test::load_outcome(strict), HasSubstr("minimal.toml is not trusted"));
  ::chmod((dir / "minimal.toml").c_str(), 0644);
  ::chmod(dir.path().c_str(), 0777);
  EXPECT_THAT(test::load_outcome(strict), HasSubstr("its directory " + dir.path()));

  auto loaded = load("minimal", relaxed, "/", {}, test::bare_surroundings());
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_THAT((*loaded)->notes, testing::Contains(HasSubstr("strict_permissions is false")));
}

TEST(Loader, refuses_a_manifest_that_is_wrong_instead_of_searching_on) {
  const TempDir wrong;
  const TempDir right;
  test::put_plugin(right, "good");
  wrong.write("minimal.toml", "manifest = 1\n[driver]\nname = \"other\"\nversion = \"1\"\n");
  DriversConfig config = test::search_in(wrong.path());
  config.search.push_back(right.path());
  EXPECT_THAT(test::load_outcome(config),
              AllOf(StartsWith("W205 "), HasSubstr(wrong / "minimal.toml:3:8"),
                    testing::Not(HasSubstr(right.path()))));

  wrong.write("minimal.toml", test::manifest_text("minimal", "missing.so"));
  EXPECT_THAT(test::load_outcome(config),
              AllOf(StartsWith("W205 "), HasSubstr(wrong / "missing.so"), HasSubstr("no such file"),
                    HasSubstr("named by " + wrong / "minimal.toml")));

  wrong.write("minimal.toml", std::string(70'000, '#'));
  EXPECT_THAT(test::load_outcome(config), AllOf(StartsWith("W205 "), HasSubstr("65536 bytes")));
}

TEST(Loader, refuses_a_library_that_is_another_driver) {
  const TempDir dir;
  const std::string path = test::put_library(dir, "good");
  DriversConfig config;
  config.pins["sqlite"].path = path;
  EXPECT_THAT(test::outcome(load("sqlite", config, "/", {}, test::bare_surroundings())),
              AllOf(StartsWith("W204 "), HasSubstr("is the driver \"minimal\", not \"sqlite\"")));
  dir.write("sqlite.toml", test::manifest_text("sqlite"));
  EXPECT_THAT(test::outcome(
                  load("sqlite", test::search_in(dir.path()), "/", {}, test::bare_surroundings())),
              AllOf(StartsWith("W205 "), HasSubstr("it says driver sqlite, but")));
}

TEST(Loader, refuses_names_that_could_lead_elsewhere) {
  const TempDir dir;
  dir.make_dir("below");
  test::put_plugin(dir, "good", "x");
  for (const char* name : {"../x", "", "a/b", "x.toml", "X", "x\n"}) {
    const std::string text = test::outcome(
        load(name, test::search_in(dir / "below"), "/", {}, test::bare_surroundings()));
    EXPECT_THAT(text, AllOf(StartsWith("W201 "), HasSubstr("is no driver name")));
  }
}

}  // namespace
}  // namespace weir::loader
