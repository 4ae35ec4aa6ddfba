// SPDX-License-Identifier: MIT
//
// Goal: a table that DriverTable accepts can be called without a thought, and one that it refuses
// is refused for the reason that it names. Method: take the minimal driver, break one thing, look.
#include "core/loader/driver_table.hpp"

#include "core/loader/slots.hpp"
#include "tests/loader/fixtures/minimal.h"

#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::loader {
namespace {

using testing::HasSubstr;

std::string problem_of(const weir_driver& driver) {
  auto table = DriverTable::create(&driver, "here");
  if (table) return "";
  EXPECT_EQ(table.error().code(), Code::driver_invalid);
  EXPECT_THAT(table.error().message(), HasSubstr("here"));
  return table.error().message();
}

TEST(DriverTable, accepts_the_minimal_driver_and_shows_what_it_says) {
  const weir_driver driver = minimal_driver();
  auto table = DriverTable::create(&driver, "here");
  ASSERT_TRUE(table);
  EXPECT_EQ(table->name(), "minimal");
  EXPECT_STREQ(table->info().version, "1.2.3");
  EXPECT_EQ(table->info().client_version, nullptr);
  EXPECT_EQ((*table)->env_create, driver.env_create);
  EXPECT_EQ((*table)->struct_size, sizeof(weir_driver));
  EXPECT_EQ((*table)->info, &table->info());
  EXPECT_TRUE(table->has(WEIR_CAP_DETERMINISTIC));
  EXPECT_FALSE(table->has(WEIR_CAP_DETERMINISTIC | WEIR_CAP_TX));
  ASSERT_EQ(table->options().size(), 2U);
  EXPECT_STREQ(table->options()[1].choices, "fast|safe");
}

TEST(DriverTable, copies_share_one_body_that_outlives_the_original) {
  auto first = std::make_unique<DriverTable>([] {
    const weir_driver driver = minimal_driver();
    return *DriverTable::create(&driver, "here");
  }());
  const DriverTable second = *first;
  const weir_driver* const body = &**first;
  first.reset();
  EXPECT_EQ(&*second, body);
  EXPECT_EQ(second.name(), "minimal");
}

TEST(DriverTable, leaves_no_slot_empty) {
  const weir_driver driver = minimal_driver();
  auto table = DriverTable::create(&driver, "here");
  ASSERT_TRUE(table);
  const auto check = [&](const auto& slot) {
    EXPECT_NE((**table).*slot.member, nullptr) << slot.name;
  };
  std::apply([&](const auto&... slot) { (check(slot), ...); }, slots);
}

TEST(DriverTable, lists_the_slots_in_the_order_of_the_header) {
  const weir_driver driver{};
  std::size_t expected = offsetof(weir_driver, env_create);
  const auto check = [&](const auto& slot) {
    const auto* at = reinterpret_cast<const char*>(&(driver.*slot.member));
    EXPECT_EQ(static_cast<std::size_t>(at - reinterpret_cast<const char*>(&driver)), expected)
        << slot.name;
    expected += sizeof(void*);
  };
  std::apply([&](const auto&... slot) { (check(slot), ...); }, slots);
}

TEST(DriverTable, answers_for_what_the_driver_does_not_offer) {
  const weir_driver driver = minimal_driver();
  auto table = DriverTable::create(&driver, "here");
  ASSERT_TRUE(table);
  std::array<char, 64> text{};
  weir_error error{};
  error.struct_size = sizeof error;
  error.text = text.data();
  error.text_capacity = text.size();
  EXPECT_EQ((*table)->begin(nullptr, nullptr, nullptr, &error), WEIR_E_UNSUPPORTED);
  EXPECT_EQ(error.kind, WEIR_E_UNSUPPORTED);
  EXPECT_EQ(error.effect, WEIR_EFFECT_NOT_SENT);
  EXPECT_EQ(error.conn_fate, WEIR_CONN_USABLE);
  EXPECT_EQ(std::string(text.data(), error.text_size), "this driver does not offer begin()");
  EXPECT_EQ(error.flags, 0U);

  EXPECT_EQ((*table)->cancel(nullptr, 1, nullptr, nullptr), WEIR_E_UNSUPPORTED);
  EXPECT_EQ((*table)->extension("weir.none/1"), nullptr);
  (*table)->abandon(nullptr);
  (*table)->abort(nullptr);
  (*table)->thread_detach(nullptr);
  (*table)->stmt_close(nullptr, nullptr);
}

TEST(DriverTable, a_stub_writes_no_more_than_there_is_room_for) {
  std::array<char, 8> text{};
  weir_error error{};
  error.struct_size = sizeof error;
  error.text = text.data();
  error.text_capacity = 4;
  EXPECT_EQ(answer_unsupported("reset", &error), WEIR_E_UNSUPPORTED);
  EXPECT_EQ(std::string(text.data(), text.size()), std::string("this\0\0\0\0", 8));
  EXPECT_EQ(error.text_size, 4U);
  EXPECT_EQ(error.flags, WEIR_ERROR_TRUNCATED);

  weir_error old{};  // of a host whose struct ended after `kind`
  old.struct_size = offsetof(weir_error, stage);
  old.effect = 99;
  EXPECT_EQ(answer_unsupported("reset", &old), WEIR_E_UNSUPPORTED);
  EXPECT_EQ(old.kind, WEIR_E_UNSUPPORTED);
  EXPECT_EQ(old.effect, 99);

  old.struct_size = offsetof(weir_error, text_capacity);
  old.text = text.data();
  EXPECT_EQ(answer_unsupported("reset", &old), WEIR_E_UNSUPPORTED);
  EXPECT_EQ(old.text, text.data()) << "the buffer is the host's, of whatever size";
}

TEST(DriverTable, names_each_required_function_that_is_missing) {
  std::vector<std::string> required;
  const auto check = [&](const auto& slot) {
    weir_driver driver = minimal_driver();
    driver.*slot.member = nullptr;
    const std::string problem = problem_of(driver);
    if (problem.empty()) return;
    required.emplace_back(slot.name);
    EXPECT_THAT(problem, HasSubstr("its table lacks " + std::string(slot.name) + "()"));
  };
  std::apply([&](const auto&... slot) { (check(slot), ...); }, slots);
  EXPECT_THAT(required,
              testing::ElementsAre("env_create", "env_destroy", "source_create", "source_destroy",
                                   "canceller_create", "open", "close", "canceller_release",
                                   "state", "ping", "execute", "fetch", "result_close"));
}

TEST(DriverTable, names_the_function_that_a_claimed_capability_lacks) {
  struct Lie {
    std::uint64_t cap;
    std::string slot;
  };
  const std::vector<Lie> lies{{WEIR_CAP_TX, "begin"},
                              {WEIR_CAP_PREPARE, "prepare"},
                              {WEIR_CAP_MULTI_RESULT, "next_set"},
                              {WEIR_CAP_EXECUTE_MANY, "execute_many"},
                              {WEIR_CAP_CANCEL, "cancel"},
                              {WEIR_CAP_ABORT, "abort"},
                              {WEIR_CAP_RESET_SESSION, "reset"},
                              {WEIR_CAP_RESET_FULL, "reset"},
                              {WEIR_CAP_FORK_ABANDON, "abandon"},
                              {WEIR_CAP_NATIVE, "native"}};
  for (const Lie& lie : lies) {
    weir_driver driver = minimal_driver();
    driver.caps |= lie.cap;
    const std::string problem = problem_of(driver);
    EXPECT_THAT(problem, HasSubstr("lacks " + lie.slot + "()"));
    EXPECT_THAT(problem, HasSubstr(std::string(capability_names(lie.cap).front())));
  }
}

TEST(DriverTable, refuses_capabilities_that_exclude_each_other) {
  weir_driver driver = minimal_driver();
  driver.caps |= WEIR_CAP_DEADLINE_HARD | WEIR_CAP_BLOCKING;
  EXPECT_THAT(problem_of(driver), HasSubstr("deadline_hard and blocking"));
  driver = minimal_driver();
  driver.caps |= WEIR_CAP_READ_ONLY_TX;
  EXPECT_THAT(problem_of(driver), HasSubstr("read_only_tx without tx"));
}

TEST(DriverTable, drops_capabilities_that_it_does_not_know) {
  weir_driver driver = minimal_driver();
  driver.caps |= UINT64_C(1) << 63;
  auto table = DriverTable::create(&driver, "here");
  ASSERT_TRUE(table);
  EXPECT_EQ((*table)->caps, WEIR_CAP_DETERMINISTIC);
}

TEST(DriverTable, takes_any_minor_and_its_own_major_only) {
  weir_driver newer = minimal_driver();
  newer.abi_minor = WEIR_ABI_MINOR + 1;
  EXPECT_TRUE(DriverTable::create(&newer, "here"));
  for (const int delta : {-1, 1}) {
    weir_driver driver = minimal_driver();
    driver.abi_major = static_cast<std::uint16_t>(driver.abi_major + delta);
    EXPECT_THAT(problem_of(driver), HasSubstr("rebuild it"));
  }
}

TEST(DriverTable, takes_an_option_of_a_type_that_a_newer_minor_may_have_brought) {
  weir_driver driver = minimal_driver();
  weir_info info = *driver.info;
  std::vector<weir_option_spec> options(info.options, info.options + info.option_count);
  options[0].type = 9;
  options[0].choices = "a|b";
  info.options = options.data();
  driver.info = &info;
  EXPECT_THAT(problem_of(driver), HasSubstr("\"path\" has the unknown type 9"));
  driver.abi_minor = WEIR_ABI_MINOR + 1;
  auto table = DriverTable::create(&driver, "here");
  ASSERT_TRUE(table) << table.error().what();
  EXPECT_EQ(table->options()[0].type, 9);
  EXPECT_STREQ(table->options()[0].choices, "a|b");

  options[1].choices = "fast|";  // a type of ours is held to what it is
  EXPECT_THAT(problem_of(driver), HasSubstr("\"mode\" has an empty word"));
}

TEST(DriverTable, reads_a_longer_table_of_a_newer_driver) {
  struct Newer {
    weir_driver known = minimal_driver();
    void (*unknown)() = nullptr;
  } newer;
  newer.known.struct_size = sizeof newer;
  auto table = DriverTable::create(&newer.known, "here");
  ASSERT_TRUE(table);
  EXPECT_EQ((*table)->struct_size, sizeof(weir_driver));
}

TEST(DriverTable, takes_what_lies_beyond_struct_size_as_absent) {
  weir_driver driver = minimal_driver();
  driver.extension = [](const char*) noexcept -> const void* { return "never asked"; };
  driver.struct_size = offsetof(weir_driver, extension);
  auto table = DriverTable::create(&driver, "here");
  ASSERT_TRUE(table);
  EXPECT_EQ((*table)->extension("x"), nullptr);

  driver.struct_size = offsetof(weir_driver, result_close);
  EXPECT_THAT(problem_of(driver), HasSubstr("lacks result_close()"));
  EXPECT_THAT(problem_of(driver), HasSubstr("struct_size is"));
}

TEST(DriverTable, refuses_sizes_that_make_no_sense) {
  const std::vector<std::uint32_t> sizes{0, 8, offsetof(weir_driver, env_create) + 3, 1U << 20U,
                                         std::numeric_limits<std::uint32_t>::max()};
  for (const std::uint32_t size : sizes) {
    weir_driver driver = minimal_driver();
    driver.struct_size = size;
    EXPECT_THAT(problem_of(driver), HasSubstr("struct_size"));
  }
}

TEST(DriverTable, refuses_null) {
  auto table = DriverTable::create(nullptr, "here");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code(), Code::driver_invalid);
}

// One wrong thing in info or its options, and the words that must name it.
struct BadInfo {
  std::string words;
  void (*spoil)(weir_info&, std::vector<weir_option_spec>&);
};

const std::vector<BadInfo>& bad_infos() {
  using Info = weir_info;
  using Options = std::vector<weir_option_spec>;
  static const std::vector<BadInfo> cases{
      {"info.name is \"(null)\"", [](Info& info, Options&) { info.name = nullptr; }},
      {"info.name is \"\"", [](Info& info, Options&) { info.name = ""; }},
      {"info.name is \"Mini\"", [](Info& info, Options&) { info.name = "Mini"; }},
      {"info.name is \"a/b\"", [](Info& info, Options&) { info.name = "a/b"; }},
      {"info.name is \"a b\"", [](Info& info, Options&) { info.name = "a\nb"; }},
      {"info.name",
       [](Info& info, Options&) {
         info.name = "a1234567890123456789012345678901234567890123456789012345678901234";
       }},
      {"info.version is empty", [](Info& info, Options&) { info.version = ""; }},
      {"info.license is empty", [](Info& info, Options&) { info.license = nullptr; }},
      {"info has struct_size 8", [](Info& info, Options&) { info.struct_size = 8; }},
      {"options is malformed", [](Info& info, Options&) { info.options = nullptr; }},
      {"options is malformed", [](Info& info, Options&) { info.option_stride = 1; }},
      {"options is malformed", [](Info& info, Options&) { info.option_count = 1U << 30U; }},
      {"option 1 has struct_size 0", [](Info&, Options& all) { all[1].struct_size = 0; }},
      {"option 0 has no key", [](Info&, Options& all) { all[0].key = nullptr; }},
      {"option 0 has no key", [](Info&, Options& all) { all[0].key = "camelCase"; }},
      {"option 0 has no key", [](Info&, Options& all) { all[0].key = "1st"; }},
      {"\"path\" twice", [](Info&, Options& all) { all[1].key = "path"; }},
      {"\"path\" has the unknown type 9", [](Info&, Options& all) { all[0].type = 9; }},
      {"\"path\" has choices", [](Info&, Options& all) { all[0].choices = "a|b"; }},
      {"\"mode\" is a choice without", [](Info&, Options& all) { all[1].choices = nullptr; }},
      {"\"mode\" has an empty word", [](Info&, Options& all) { all[1].choices = "fast|"; }},
      {"\"mode\" has the default \"slow\"",
       [](Info&, Options& all) { all[1].default_value = "slow"; }},
      {"\"mode\" is required and has a default",
       [](Info&, Options& all) { all[1].flags = WEIR_OPT_REQUIRED; }},
  };
  return cases;
}

TEST(DriverTable, names_what_is_wrong_with_info_and_options) {
  for (const BadInfo& bad : bad_infos()) {
    weir_driver driver = minimal_driver();
    weir_info info = *driver.info;
    std::vector<weir_option_spec> options(info.options, info.options + info.option_count);
    info.options = options.data();
    bad.spoil(info, options);
    driver.info = &info;
    EXPECT_THAT(problem_of(driver), HasSubstr(bad.words));
  }
}

TEST(DriverTable, fills_in_the_texts_that_may_be_missing) {
  weir_driver driver = minimal_driver();
  weir_info info = *driver.info;
  info.struct_size = offsetof(weir_info, description);
  info.option_count = 0;
  info.options = nullptr;
  driver.info = &info;
  auto table = DriverTable::create(&driver, "here");
  ASSERT_TRUE(table);
  EXPECT_STREQ(table->info().description, "");
  EXPECT_STREQ(table->info().placeholder, "?");
  EXPECT_STREQ(table->info().url_schemes, "");
  EXPECT_TRUE(table->options().empty());
}

TEST(DriverTable, reads_options_that_are_further_apart_than_its_own) {
  struct Wider {
    weir_option_spec known{};
    std::uint64_t unknown = ~UINT64_C(0);
  };
  std::array<Wider, 2> wide{};
  for (std::size_t i = 0; i < wide.size(); ++i) {
    wide[i].known.struct_size = sizeof(Wider);
    wide[i].known.key = i == 0 ? "first" : "second";
  }
  weir_driver driver = minimal_driver();
  weir_info info = *driver.info;
  info.options = &wide[0].known;
  info.option_count = 2;
  info.option_stride = sizeof(Wider);
  driver.info = &info;
  auto table = DriverTable::create(&driver, "here");
  ASSERT_TRUE(table);
  EXPECT_STREQ(table->options()[1].key, "second");
  EXPECT_STREQ(table->options()[1].doc, "");
}

TEST(DriverName, has_one_form) {
  for (const char* good : {"a", "0", "sqlite", "my-db_2"})
    EXPECT_TRUE(is_driver_name(good)) << good;
  EXPECT_TRUE(is_driver_name(std::string(64, 'a')));
  EXPECT_FALSE(is_driver_name(std::string(65, 'a')));
  for (const char* bad : {"", "A", "-a", "_a", "a.b", "../a", "a/b", "a b", "\xc3\xa4"}) {
    EXPECT_FALSE(is_driver_name(bad)) << bad;
  }
  EXPECT_FALSE(is_driver_name(std::string_view("a\0b", 3)));
}

TEST(DriverTable, reads_a_claimed_name_only_where_there_is_one) {
  weir_driver driver = minimal_driver();
  EXPECT_EQ(claimed_name(&driver), "minimal");
  EXPECT_EQ(claimed_name(nullptr), "");
  driver.struct_size = 8;
  EXPECT_EQ(claimed_name(&driver), "");
  driver = minimal_driver();
  driver.info = nullptr;
  EXPECT_EQ(claimed_name(&driver), "");
}

TEST(Capabilities, have_a_word_each) {
  const auto names = capability_names(~UINT64_C(0));
  std::uint64_t all = 0;
  for (const std::string_view name : names) all |= capability_bit(name);
  EXPECT_EQ(all, (WEIR_CAP_NATIVE << 1) - 1) << "a WEIR_CAP_* has no word, or the last one changed";
  EXPECT_EQ(capability_bit("nonsense"), 0U);
}

}  // namespace
}  // namespace weir::loader
