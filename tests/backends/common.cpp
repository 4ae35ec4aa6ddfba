// SPDX-License-Identifier: MIT
//
// Goal: the manners that all backends share: no exception crosses, errors fit, bytes stay put.
#include "backends/common/arena.hpp"
#include "backends/common/entry.h"
#include "backends/common/gate.hpp"
#include "backends/common/options.hpp"
#include "backends/mock/weir_mock.h"
#include "tests/backends/abi_host.hpp"
#include "tests/backends/client.hpp"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::test {
namespace {

using ::testing::HasSubstr;

weir_status out_of_memory(int, weir_error*) { throw std::bad_alloc(); }
weir_status bug(int, weir_error*) { throw std::runtime_error("one off"); }
weir_status stranger(int, weir_error*) { throw 7; }
void cannot_fail(int) { throw std::runtime_error("dropped"); }

TEST(Guarded, exceptions_become_errors) {
  Error error;
  EXPECT_EQ(WEIR_E_NOMEM, backend::guarded<&out_of_memory>(1, &error));
  EXPECT_EQ(WEIR_CONN_UNKNOWN, error.conn_fate);
  EXPECT_EQ(WEIR_E_INTERNAL, backend::guarded<&bug>(1, &error));
  EXPECT_THAT(error.what(), HasSubstr("one off"));
  EXPECT_EQ(WEIR_E_INTERNAL, backend::guarded<&stranger>(1, nullptr));
  backend::guarded<&cannot_fail>(1);
}

TEST(Fail, cuts_text_between_characters) {
  Error error;
  error.text_capacity = 5;
  backend::fail(&error, {.kind = WEIR_E_DATA}, {"ab", "grün", "x"});
  EXPECT_EQ("abgr", error.what());  // ü has two bytes, and only one is left
  EXPECT_EQ(WEIR_ERROR_TRUNCATED, error.flags);
  error.text_capacity = 6;
  backend::fail(&error, {.kind = WEIR_E_DATA}, {"ab", "grü"});
  EXPECT_EQ("abgrü", error.what());
  EXPECT_EQ(0U, error.flags);
}

TEST(Arena, bytes_stay_where_they_are_until_clear) {
  backend::Arena arena;
  std::vector<std::pair<const char*, std::string>> kept;
  for (std::size_t size = 0; size < 20'000; size += 97) {
    const std::string bytes(size, static_cast<char>('a' + size % 26));
    kept.emplace_back(arena.add(bytes.data(), size), bytes);
  }
  for (const auto& [at, bytes] : kept) EXPECT_EQ(bytes, std::string_view(at, bytes.size()));
  arena.clear();
  EXPECT_EQ(0U, arena.used());
  EXPECT_NE(nullptr, arena.add("", 0));
}

TEST(Options, durations_and_numbers_are_exact) {
  using backend::parse_duration;
  EXPECT_EQ(1'500'000, parse_duration("1500000"));
  EXPECT_EQ(5'000'000'000, parse_duration("5s"));
  EXPECT_EQ(250'000'000, parse_duration("250ms"));
  EXPECT_EQ(0, parse_duration("0"));
  for (const char* wrong : {"", "-1", "5 s", "1d", "s", "9223372036854775807s", "1.5s"}) {
    EXPECT_EQ(std::nullopt, parse_duration(wrong)) << wrong;
  }
  EXPECT_EQ(std::nullopt, backend::parse_integer("12a"));
  EXPECT_EQ(std::nullopt, backend::parse_boolean("yes"));
}

TEST(Gate, interrupts_only_the_operation_that_runs) {
  FakeHost host;
  auto* gate = new backend::Gate(*host.abi(), 3);
  gate->retain();
  int interrupts = 0;
  gate->attach(&interrupts, [](void* count) { ++*static_cast<int*>(count); });
  gate->start(10);
  gate->cancel(9);
  gate->cancel(11);
  EXPECT_EQ(0, interrupts);
  gate->cancel(10);
  EXPECT_EQ(1, interrupts);
  EXPECT_TRUE(gate->cancelled());
  EXPECT_TRUE(gate->finish());
  gate->cancel(10);
  EXPECT_FALSE(gate->cancelled());
  gate->start(12);
  EXPECT_FALSE(gate->finish());
  gate->detach();
  gate->abort();
  EXPECT_EQ(1, interrupts);
  EXPECT_TRUE(gate->aborted());
  gate->close();
  gate->release();
  gate->cancel(12);
  gate->abort();
  EXPECT_EQ((std::vector<std::uint64_t>{3, 3}), host.wakes);
  gate->release();
}

TEST(Entry, refuses_a_host_of_another_major) {
  FakeHost host;
  Error error;
  EXPECT_EQ(weir_mock_driver(), weir_backend_enter(host.abi(), weir_mock_driver(), &error));
  host.mutable_abi().abi_minor = 9;
  EXPECT_EQ(weir_mock_driver(), weir_backend_enter(host.abi(), weir_mock_driver(), &error));
  host.mutable_abi().abi_major = WEIR_ABI_MAJOR + 1;
  EXPECT_EQ(nullptr, weir_backend_enter(host.abi(), weir_mock_driver(), &error));
  EXPECT_EQ(WEIR_E_UNSUPPORTED, error.kind);
  EXPECT_THAT(error.what(), HasSubstr("2.9"));
  EXPECT_EQ(nullptr, weir_backend_enter(nullptr, weir_mock_driver(), nullptr));
}

}  // namespace
}  // namespace weir::test
