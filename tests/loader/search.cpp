// SPDX-License-Identifier: MIT
//
// Goal: the order of the search is the documented one, and a failure lists it. Method: the same
// driver in several places, and places taken away one by one.
#include "core/loader/places.hpp"
#include "tests/loader/fixtures/minimal.h"
#include "tests/loader/support.hpp"

#include <algorithm>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::loader {
namespace {

using test::TempDir;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Search, takes_a_registered_driver_first) {
  const TempDir dir;
  test::put_plugin(dir, "good");
  const weir_driver driver = minimal_driver();
  const std::vector<const weir_driver*> registered{&driver};
  DriversConfig config = test::search_in(dir.path());
  config.allow = {"other"};  // files only: what is linked in is the host's own decision
  auto loaded = load("minimal", config, "/", registered, test::bare_surroundings());
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ((*loaded)->path, "(linked in)");
  EXPECT_FALSE((*loaded)->manifest);
  EXPECT_EQ((*loaded)->table->env_create, driver.env_create);
}

TEST(Search, checks_a_registered_driver_like_any_other) {
  weir_driver driver = minimal_driver();
  driver.fetch = nullptr;
  const std::vector<const weir_driver*> registered{&driver};
  EXPECT_THAT(test::outcome(load("minimal", {}, "/", registered, test::bare_surroundings())),
              AllOf(StartsWith("W204 driver \"minimal\": the driver \"minimal\", registered by"),
                    HasSubstr("lacks fetch()")));
}

TEST(Search, goes_through_the_places_in_order) {
  const TempDir pin;
  const TempDir first;
  const TempDir second;
  const TempDir env;
  const TempDir system;
  const std::vector<const TempDir*> order{&pin, &first, &second, &env, &system};
  for (const TempDir* dir : order) test::put_plugin(*dir, "good");
  DriversConfig config = test::pinned(pin / "plugin.so");
  config.search = {first.path(), second.path()};
  config.allow_env = true;
  Surroundings around = test::bare_surroundings();
  around.env_path = "/nonexistent:" + env.path();
  around.system_places = {{system.path(), "compiled in"}};
  for (const TempDir* dir : order) {
    EXPECT_EQ(test::load_outcome(config, around), "ok " + *dir / "plugin.so");
    config.pins.clear();
    ::unlink((*dir / "minimal.toml").c_str());
  }
  const std::string text = test::load_outcome(config, around);
  EXPECT_EQ(text,
            "W201 driver \"minimal\" was not found\n"
            "  looked at, in this order:\n"
            "    registered by the program: none\n"
            "    [drivers.minimal] path: not set\n"
            "    " +
                first.path() +
                "/minimal.toml ([drivers] search): no such file\n"
                "    " +
                second.path() +
                "/minimal.toml ([drivers] search): no such file\n"
                "    /nonexistent/minimal.toml (WEIR_PLUGIN_PATH): no such file\n"
                "    " +
                env.path() +
                "/minimal.toml (WEIR_PLUGIN_PATH): no such file\n"
                "    " +
                system.path() +
                "/minimal.toml (compiled in): no such file\n"
                "  to do: install its plugin (minimal.toml and the library that it names) into " +
                system.path() +
                ", or name its directory in [drivers] search, or link the driver into "
                "the program and register it");
}

TEST(Search, looks_at_the_environment_only_if_allowed) {
  const TempDir env;
  test::put_plugin(env, "good");
  Surroundings around = test::bare_surroundings();
  around.env_path = env.path();
  DriversConfig config;
  EXPECT_THAT(test::load_outcome(config, around),
              AllOf(StartsWith("W201 "), HasSubstr("WEIR_PLUGIN_PATH: not looked at: [drivers] "
                                                   "allow_env is false")));
  config.allow_env = true;
  EXPECT_EQ(test::load_outcome(config, around), "ok " + env / "plugin.so");
  around.privileged = true;
  EXPECT_THAT(test::load_outcome(config, around),
              HasSubstr("WEIR_PLUGIN_PATH: not looked at: this process has more rights"));
  around.privileged = false;
  around.env_path = "relative/dir::";
  EXPECT_THAT(test::load_outcome(config, around), HasSubstr("\"relative/dir\" not looked at"));
}

TEST(Search, relative_paths_start_at_the_configuration) {
  const TempDir dir;
  dir.make_dir("plugins");
  test::put_library(dir, "good", "plugins/plugin.so");
  dir.write("plugins/minimal.toml", test::manifest_text());
  const Surroundings around = test::bare_surroundings();
  EXPECT_THAT(test::outcome(load("minimal", test::search_in("plugins"), dir.path(), {}, around)),
              StartsWith("ok " + dir.path()));
  for (const char* path : {"plugins/plugin.so", "plugins/minimal.toml"}) {
    EXPECT_THAT(test::outcome(load("minimal", test::pinned(path), dir.path(), {}, around)),
                StartsWith("ok " + dir.path()));
  }
  EXPECT_THAT(test::outcome(load("minimal", test::pinned("minimal.toml"), dir.path(), {}, around)),
              AllOf(StartsWith("W201 "), HasSubstr(dir / "minimal.toml: no such file")));
}

TEST(Search, opens_nothing_that_is_not_on_the_allow_list) {
  const TempDir dir;
  test::put_plugin(dir, "crash_constructor");
  DriversConfig config = test::search_in(dir.path());
  config.allow = {"sqlite", "postgres"};
  EXPECT_THAT(test::load_outcome(config),
              AllOf(StartsWith("W202 driver \"minimal\": it is not on the list [drivers] allow"),
                    HasSubstr("allowed are: sqlite, postgres")));
  test::put_plugin(dir, "good");
  config.allow.emplace_back("minimal");
  EXPECT_THAT(test::load_outcome(config), StartsWith("ok "));
}

TEST(Search, suggests_a_driver_that_is_there) {
  const TempDir dir;
  test::put_plugin(dir, "good");
  EXPECT_THAT(test::outcome(
                  load("minimul", test::search_in(dir.path()), "/", {}, test::bare_surroundings())),
              HasSubstr("was not found; did you mean \"minimal\"?"));
}

TEST(Search, notes_what_it_did_not_use) {
  const TempDir first;
  const TempDir second;
  test::put_plugin(first, "good");
  test::put_plugin(second, "good");
  DriversConfig config = test::search_in(first.path());
  config.search.push_back(second.path());
  config.search.push_back(first.path());
  auto loaded = load("minimal", config, "/", {}, test::bare_surroundings());
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_THAT((*loaded)->notes,
              ElementsAre(AllOf(HasSubstr(second / "minimal.toml"), HasSubstr("is not used"))));
}

TEST(Search, tells_a_directory_it_may_not_look_into_from_one_that_is_empty) {
  if (!test::is_root())
    GTEST_SKIP() << "needs root to become another user: run the tests as root, sudo ./dev test";
  const TempDir dir;
  test::put_plugin(dir, "good");
  ::chmod(dir.path().c_str(), 0700);
  const std::string text =
      test::as_user(65534, [&] { return test::load_outcome(test::search_in(dir.path())); });
  EXPECT_THAT(text, AllOf(StartsWith("W201 "), HasSubstr("search): Permission denied")));
}

TEST(Search, finds_the_plugins_of_the_build_tree_by_itself) {
  const Surroundings around = Surroundings::of_this_process();
  ASSERT_FALSE(around.system_places.empty());
  EXPECT_EQ(around.system_places.front().why, "the build tree");
  EXPECT_EQ(around.system_places.back().why, "compiled in");
  EXPECT_FALSE(around.privileged);
}

TEST(Search, reads_the_environment_of_the_process) {
  ASSERT_EQ(::setenv("WEIR_PLUGIN_PATH", "/a:/b", 1), 0);
  EXPECT_EQ(Surroundings::of_this_process().env_path, "/a:/b");
  ASSERT_EQ(::unsetenv("WEIR_PLUGIN_PATH"), 0);
  EXPECT_EQ(Surroundings::of_this_process().env_path, "");
}

TEST(Places, are_named_by_their_manifests) {
  const TempDir dir;
  for (const char* file : {"b.toml", "a.toml", "c.TOML", "README", ".toml", "Ugly.toml", "d.so"}) {
    dir.write(file, "");
  }
  EXPECT_THAT(names_in(dir.path()), ElementsAre("a", "b"));
  EXPECT_THAT(names_in(dir / "none"), ElementsAre());
}

TEST(List, shows_each_driver_once_as_load_would_take_it) {
  const TempDir first;
  const TempDir second;
  test::put_plugin(first, "good");
  test::put_plugin(second, "good");
  second.write("broken.toml", "manifest = 1\n");
  DriversConfig config = test::search_in(first.path());
  config.search.push_back(second.path());
  weir_driver driver = minimal_driver();
  weir_info info = *driver.info;
  info.name = "linked";
  driver.info = &info;
  const std::vector<const weir_driver*> registered{&driver};

  const auto all = list(config, "/", registered, test::bare_surroundings());
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].name, "linked");
  EXPECT_EQ(all[0].path, "(linked in)");
  ASSERT_TRUE(all[0].driver);
  EXPECT_EQ(all[1].name, "minimal");
  EXPECT_EQ(all[1].path, first / "plugin.so");
  ASSERT_TRUE(all[1].driver);
  EXPECT_EQ(all[1].driver->table.options().size(), 2U);
  EXPECT_EQ(all[2].name, "broken");
  ASSERT_TRUE(all[2].refused);
  EXPECT_EQ(all[2].refused->code(), Code::driver_manifest);
  EXPECT_EQ(all[3].name, "minimal");
  EXPECT_FALSE(all[3].driver);
  EXPECT_EQ(all[3].shadowed_by, first / "plugin.so");
  EXPECT_EQ(all[3].path, second / "minimal.toml");
}

TEST(List, says_why_a_driver_would_be_refused) {
  const TempDir dir;
  test::put_plugin(dir, "abort_constructor");
  DriversConfig config = test::search_in(dir.path());
  config.pins["gone"].path = dir / "gone.so";
  auto all = list(config, "/", {}, test::bare_surroundings());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "gone");
  ASSERT_TRUE(all[0].refused && all[1].refused);
  EXPECT_EQ(all[0].refused->code(), Code::driver_not_found);
  EXPECT_EQ(all[1].refused->code(), Code::driver_unloadable);
  config.allow = {"other"};
  all = list(config, "/", {}, test::bare_surroundings());
  EXPECT_EQ(all[1].refused->code(), Code::driver_untrusted);
}

}  // namespace
}  // namespace weir::loader
