// SPDX-License-Identifier: MIT
//
// Goal: all who ask for the same file get the same pools, for as long as anybody has them, and a
// file that could not be opened is tried again.
#include "tests/api/forks.hpp"
#include "tests/api/support.hpp"

#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace weir::test {
namespace {

class Shared : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    file = (dir / "weir.toml").string();
    std::ofstream(file) << toml("url = \"test.db\"");
  }
  std::string file;
};

TEST_F(Shared, pools_are_the_same_for_all_who_ask_however_they_spell_the_file) {
  const auto one = or_throw(Pools::shared(file));
  EXPECT_EQ(or_throw(Pools::shared(file)), one);
  EXPECT_EQ(or_throw(Pools::shared((dir / "." / "nowhere" / ".." / "weir.toml").string())), one);
  std::filesystem::create_symlink(file, dir / "link.toml");
  EXPECT_EQ(or_throw(Pools::shared((dir / "link.toml").string())), one);
  EXPECT_TRUE((*one)["main"].query("select 1"));
  std::ofstream(dir / "other.toml") << toml("url = \"other.db\"");
  EXPECT_NE(or_throw(Pools::shared((dir / "other.toml").string())), one);
}

TEST_F(Shared, pools_close_when_the_last_lets_go_and_open_again) {
  auto one = or_throw(Pools::shared(file));
  auto two = one;
  const std::weak_ptr<Pools> seen = one;
  one.reset();
  EXPECT_TRUE((*two)["main"].query("select 1"));
  two.reset();
  EXPECT_TRUE(seen.expired());
  EXPECT_TRUE((*or_throw(Pools::shared(file)))["main"].query("select 1"));
}

TEST_F(Shared, pools_that_could_not_be_opened_are_tried_again) {
  std::ofstream(file) << "version = 1\n";
  EXPECT_FALSE(Pools::shared(file));
  EXPECT_FALSE(Pools::shared((dir / "none.toml").string()));
  std::ofstream(file) << toml("url = \"test.db\"");
  EXPECT_TRUE(Pools::shared(file));
}

TEST_F(Shared, pools_are_opened_once_by_threads_that_ask_together) {
  std::vector<std::shared_ptr<Pools>> got(8);
  std::vector<std::thread> threads;
  for (auto& each : got) threads.emplace_back([&] { each = or_throw(Pools::shared(file)); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& each : got) EXPECT_EQ(each, got.front());
}

TEST_F(Shared, pools_of_a_forked_child_are_its_own) {
  if (!can_fork) GTEST_SKIP() << cannot_fork;
  const auto parents = or_throw(Pools::shared(file));
  ASSERT_TRUE((*parents)["main"].query("select 1"));
  const pid_t child = fork_when_quiet();
  if (child == 0) {
    const auto own = Pools::shared(file);
    const bool works = own && *own != parents && (**own)["main"].query("select 1").has_value();
    ::_exit(works ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE((*parents)["main"].query("select 1"));
}

}  // namespace
}  // namespace weir::test
