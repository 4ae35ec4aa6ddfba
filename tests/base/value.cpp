// SPDX-License-Identifier: MIT
//
// Goal: a parameter is what was said or it does not compile, and a cell is read as what it is.
// Method: what is a parameter is asked of the compiler.
#include <weir/value.hpp>

#include <limits>

#include <gtest/gtest.h>

namespace weir {
namespace {

template <class T>
concept Binds = requires(const T& value) {
  detail::to_cell(value);
};

static_assert(Binds<bool> && Binds<signed char> && Binds<unsigned char> && Binds<long long>);
static_assert(Binds<float> && Binds<double> && Binds<std::optional<float>> && Binds<const char*>);
static_assert(!Binds<char> && !Binds<wchar_t> && !Binds<char8_t> && !Binds<char32_t>,
              "a text, or a number?");
static_assert(!Binds<long double> && !Binds<void*>, "bits would be lost, or it would be true");
#ifdef __SIZEOF_INT128__
__extension__ using Wide = __int128;
static_assert(!Binds<Wide>, "an integer by -std=gnu++20");
#endif

weir_cell of(double value) { return detail::to_cell(value); }

TEST(Value, a_double_reads_as_a_float_unless_that_is_another_order_of_magnitude) {
  EXPECT_EQ(detail::from_cell<float>(of(0.1)), 0.1F);
  EXPECT_EQ(detail::from_cell<float>(of(-1e39)), std::nullopt);
  EXPECT_EQ(detail::from_cell<float>(of(std::numeric_limits<double>::infinity())),
            std::numeric_limits<float>::infinity());
  EXPECT_EQ(detail::from_cell<double>(of(-1e39)), -1e39);
}

TEST(Value, an_integer_reads_as_a_float_that_is_the_same_number) {
  const auto whole = [](std::int64_t value) { return detail::to_cell(value); };
  EXPECT_EQ(detail::from_cell<float>(whole(1 << 24)), 16777216.0F);
  EXPECT_EQ(detail::from_cell<float>(whole((1 << 24) + 1)), std::nullopt);
  EXPECT_EQ(detail::from_cell<double>(whole((1 << 24) + 1)), 16777217.0);
  EXPECT_EQ(detail::from_cell<double>(whole((std::int64_t{1} << 53) + 1)), std::nullopt);
}

TEST(Value, null_is_an_empty_optional_and_nothing_else) {
  const weir_cell null = detail::null_cell();
  const auto read = detail::from_cell<std::optional<int>>(null);
  EXPECT_TRUE(read && !*read);
  EXPECT_EQ(detail::from_cell<int>(null), std::nullopt);
  EXPECT_EQ(detail::from_cell<std::optional<int>>(of(0.5)), std::nullopt) << "not an integer";
}

}  // namespace
}  // namespace weir
