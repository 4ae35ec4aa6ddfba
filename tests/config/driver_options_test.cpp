// SPDX-License-Identifier: MIT
//
// Options of a driver against its declaration: types, defaults, and every way to be wrong.
#include "core/config/driver_options.hpp"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace weir::config {
namespace {

weir_option_spec spec(const char* key, std::int32_t type, std::uint32_t flags = 0,
                      const char* fallback = nullptr, const char* choices = nullptr) {
  return {sizeof(weir_option_spec), type, flags, 0, key, fallback, choices, "A test."};
}

const weir_option_spec specs[] = {
    spec("busy_timeout", WEIR_OPT_DURATION, 0, "5s"),
    spec("journal_mode", WEIR_OPT_CHOICE, 0, "wal", "wal|delete|memory"),
    spec("foreign_keys", WEIR_OPT_BOOLEAN, 0, "true"),
    spec("cache_pages", WEIR_OPT_INTEGER),
    spec("application_name", WEIR_OPT_STRING),
    spec("password", WEIR_OPT_STRING, WEIR_OPT_SECRET | WEIR_OPT_REQUIRED),
};

weir_info make_info(const void* options, std::size_t count, std::size_t stride) {
  weir_info info{};
  info.struct_size = sizeof info;
  info.name = "sqlite";
  info.options = static_cast<const weir_option_spec*>(options);
  info.option_count = static_cast<std::uint32_t>(count);
  info.option_stride = static_cast<std::uint32_t>(stride);
  return info;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

Result<std::vector<DriverOption>> check(const Pairs& pairs,
                                        const weir_info& info = make_info(specs, std::size(specs),
                                                                          sizeof specs[0])) {
  std::vector<DriverOption> options;
  for (const auto& [key, value] : pairs) options.push_back({key, Secret(value)});
  return check_driver_options(options, info, {"weir.toml", "main"});
}

TEST(DriverOptions, become_what_the_driver_wants) {
  const auto checked = check({{"password", "pw"},
                              {"cache_pages", "-0012"},
                              {"busy_timeout", "1m30s"},
                              {"foreign_keys", "false"}});
  ASSERT_TRUE(checked) << checked.error().what();
  const std::vector<DriverOption> expected{
      {"busy_timeout", Secret("90000000000")},
      {"cache_pages", Secret("-12")},
      {"foreign_keys", Secret("false")},
      {"journal_mode", Secret("wal")},
      {"password", Secret("pw")},
  };
  EXPECT_EQ(*checked, expected);
}

TEST(DriverOptions, every_fault_has_its_words) {
  struct Case {
    Pairs options;
    Code code;
    const char* text;
  };
  const Case cases[] = {
      {{{"password", "x"}, {"journal_mod", "wal"}},
       Code::config_unknown_key,
       "driver sqlite has no option `journal_mod`; did you mean `journal_mode`?"},
      {{{"password", "x"}, {"zzz", "1"}},
       Code::config_unknown_key,
       "driver sqlite has no option `zzz`; it has `busy_timeout`, `journal_mode`, `foreign_keys`, "
       "`cache_pages`, `application_name`, `password`"},
      {{{"password", "x"}, {"journal_mode", "wall"}},
       Code::config_value,
       "`journal_mode` must be \"wal\", \"delete\" or \"memory\"; did you mean \"wal\"?"},
      {{{"password", "x"}, {"busy_timeout", "5"}},
       Code::config_type,
       "`busy_timeout`: a duration needs a unit; write \"5s\" or \"5ms\"?"},
      {{{"password", "x"}, {"cache_pages", "many"}},
       Code::config_type,
       "`cache_pages` must be a whole number"},
      {{{"password", "x"}, {"cache_pages", ""}},
       Code::config_type,
       "`cache_pages` must be a whole number"},
      {{{"password", "x"}, {"foreign_keys", "on"}},
       Code::config_type,
       "`foreign_keys` must be true or false"},
      {{{"password", "x"}, {"password", "y"}}, Code::config_conflict, "`password` is given twice"},
      {{{"password", std::string("a\0b", 3)}},
       Code::config_value,
       "`password` contains a NUL character"},
      {{}, Code::config_missing, "driver sqlite needs the option `password`"},
  };
  for (const Case& c : cases) {
    const auto checked = check(c.options);
    ASSERT_FALSE(checked) << c.text;
    EXPECT_EQ(checked.error().code(), c.code) << c.text;
    EXPECT_EQ(checked.error().message(), std::string("weir.toml: [pool.main.options]: ") + c.text);
  }
}

TEST(DriverOptions, all_faults_come_at_once) {
  const auto checked = check({{"x", "1"}, {"foreign_keys", "2"}});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code(), Code::config_many);
  EXPECT_EQ(std::count(checked.error().message().begin(), checked.error().message().end(), '\n'),
            2);
}

// A driver of a later ABI has longer rows, an earlier one shorter rows; both are read by stride.
TEST(DriverOptions, rows_are_read_by_their_stride_and_size) {
  struct Longer {
    weir_option_spec spec;
    const char* more;
  };
  const Longer longer[] = {{spec("a", WEIR_OPT_INTEGER, 0, "1"), "x"},
                           {spec("b", WEIR_OPT_INTEGER, 0, "2"), "y"}};
  const auto more = check({}, make_info(longer, 2, sizeof longer[0]));
  ASSERT_TRUE(more) << more.error().what();
  EXPECT_EQ(more->at(1).value.reveal(), "2");

  struct Shorter {
    std::uint32_t struct_size;
    std::int32_t type;
    std::uint32_t flags;
    std::uint32_t reserved;
    const char* key;
  };
  const Shorter shorter[] = {{sizeof(Shorter), WEIR_OPT_INTEGER, 0, 0, "a"},
                             {sizeof(Shorter), WEIR_OPT_INTEGER, 0, 0, "b"}};
  const auto less = check({{"b", "7"}}, make_info(shorter, 2, sizeof shorter[0]));
  ASSERT_TRUE(less) << less.error().what();
  EXPECT_EQ(*less, (std::vector<DriverOption>{{"b", Secret("7")}}));
}

TEST(DriverOptions, a_wrong_default_is_the_drivers_fault) {
  const weir_option_spec wrong[] = {spec("a", WEIR_OPT_DURATION, 0, "5")};
  const auto checked = check({}, make_info(wrong, 1, sizeof wrong[0]));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code(), Code::driver_invalid);
}

TEST(DriverOptions, a_driver_without_options_says_so) {
  const auto checked = check({{"a", "1"}}, make_info(nullptr, 0, 0));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message(),
            "weir.toml: [pool.main.options]: driver sqlite has no option `a`; it has none at all");
}

TEST(DriverOptions, types_for_people) {
  EXPECT_EQ(option_type_text(specs[1]), "wal | delete | memory");
  EXPECT_EQ(option_type_text(specs[2]), "true | false");
  EXPECT_EQ(option_type_text(specs[0]), "duration");
}

}  // namespace
}  // namespace weir::config
