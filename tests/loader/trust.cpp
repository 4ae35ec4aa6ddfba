// SPDX-License-Identifier: MIT
//
// Goal: nobody but root and ourselves can have written what we run. Method: one plugin, and one bit
// at a time that would let somebody else in; as root also the view of another user.
#include "core/loader/trust.hpp"

#include "tests/loader/support.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::loader {
namespace {

using test::TempDir;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr unsigned nobody = 65534;
constexpr unsigned stranger = 12345;

std::string problem_of(const std::string& path, bool strict = true) {
  std::string reason;
  auto file = open_checked(path, strict, &reason);
  if (!file) return fmt::format("{} {}", file.error().id(), file.error().message());
  if (!*file) return "nothing: " + reason;
  return (*file)->relaxed;
}

TEST(Trust, accepts_our_own_file_below_a_sticky_directory) {
  const TempDir dir;  // the system's temporary directory above it is 1777 and root's
  EXPECT_EQ(problem_of(dir.write("a", "x")), "");
}

TEST(Trust, a_file_that_is_not_there_is_no_error) {
  const TempDir dir;
  EXPECT_EQ(problem_of(dir / "a"), "nothing: no such file");
  EXPECT_EQ(problem_of(dir / "a/b/c"), "nothing: no such file");
  EXPECT_THAT(problem_of(dir.write("file", "x") + "/below"),
              StartsWith("nothing: Not a directory"));
}

TEST(Trust, refuses_a_file_that_others_can_write) {
  const TempDir dir;
  const std::string path = dir.write("a", "x");
  ::chmod(path.c_str(), 0666);
  EXPECT_THAT(problem_of(path),
              AllOf(StartsWith("W202 " + path + " is not trusted"),
                    HasSubstr("every user (mode 0666)"), HasSubstr("chmod go-w " + path)));
  ::chmod(path.c_str(), 0664);
  EXPECT_THAT(problem_of(path), HasSubstr("its group (mode 0664)"));
  EXPECT_THAT(problem_of(path, false), HasSubstr("its group (mode 0664)")) << "noted, not refused";
}

TEST(Trust, refuses_a_directory_that_others_can_write_wherever_it_is) {
  const TempDir dir;
  const std::string own = dir.make_dir("outer/inner");
  ::chmod((dir / "outer").c_str(), 0755);
  const std::string path = dir.write("outer/inner/a", "x");
  ASSERT_EQ(problem_of(path), "");
  ::chmod(own.c_str(), 0777);
  EXPECT_THAT(problem_of(path), AllOf(HasSubstr("its directory " + own), HasSubstr("mode 0777")));
  ::chmod(own.c_str(), 01777);
  EXPECT_THAT(problem_of(path), HasSubstr("mode 1777")) << "sticky helps only further above";
  ::chmod(own.c_str(), 0755);
  ::chmod((dir / "outer").c_str(), 0775);
  EXPECT_THAT(problem_of(path), HasSubstr("its directory " + (dir / "outer") + " can be written"));
  ::chmod((dir / "outer").c_str(), 01777);
  EXPECT_EQ(problem_of(path), "");
}

TEST(Trust, looks_at_where_a_link_leads) {
  const TempDir dir;
  const TempDir elsewhere;
  const std::string path = elsewhere.write("a", "x");
  ASSERT_EQ(::symlink(path.c_str(), (dir / "link").c_str()), 0);
  EXPECT_EQ(problem_of(dir / "link"), "");
  ::chmod(elsewhere.path().c_str(), 0777);
  EXPECT_THAT(problem_of(dir / "link"), HasSubstr("its directory " + elsewhere.path()));
  ASSERT_EQ(::symlink("loop", (dir / "loop").c_str()), 0);
  EXPECT_THAT(problem_of(dir / "loop"), StartsWith("nothing: Too many levels"));
}

TEST(Trust, refuses_what_is_no_file_and_does_not_wait_for_a_pipe) {
  const TempDir dir;
  EXPECT_THAT(problem_of(dir.make_dir("d")), AllOf(StartsWith("W203"), HasSubstr("a directory")));
  ASSERT_EQ(::mkfifo((dir / "p").c_str(), 0600), 0);
  EXPECT_THAT(problem_of(dir / "p"), HasSubstr("is a pipe, not a file"));
  EXPECT_THAT(problem_of("/dev/null"), HasSubstr("is a device"));
}

TEST(Trust, refuses_files_of_other_users) {
  if (!test::is_root())
    GTEST_SKIP() << "needs root to give a file away: run the tests as root, sudo ./dev test";
  const TempDir dir;
  const std::string path = dir.write("a", "x");
  ASSERT_EQ(::chown(path.c_str(), stranger, stranger), 0);
  EXPECT_THAT(problem_of(path), AllOf(HasSubstr("belongs to user 12345, not to root;"),
                                      HasSubstr("chown root " + path)));
  ASSERT_EQ(::chown(path.c_str(), 0, 0), 0);
  ASSERT_EQ(::chown(dir.path().c_str(), stranger, stranger), 0);
  EXPECT_THAT(problem_of(path),
              HasSubstr("its directory " + dir.path() + " belongs to user 12345"));
}

TEST(Trust, another_user_trusts_root_and_itself_alone) {
  if (!test::is_root())
    GTEST_SKIP() << "needs root to become another user: run the tests as root, sudo ./dev test";
  const TempDir dir;
  const std::string path = dir.write("a", "x");
  const auto seen_by_nobody = [&] {
    return test::as_user(nobody, [&] { return "seen: " + problem_of(path); });
  };
  EXPECT_EQ(seen_by_nobody(), "seen: ") << "root's file";
  ASSERT_EQ(::chown(path.c_str(), nobody, nobody), 0);
  EXPECT_EQ(seen_by_nobody(), "seen: ") << "its own file";
  EXPECT_THAT(problem_of(path), HasSubstr("belongs to user 65534")) << "root trusts nobody's not";
  ASSERT_EQ(::chown(path.c_str(), stranger, stranger), 0);
  EXPECT_THAT(seen_by_nobody(), HasSubstr("not to root or to user 65534"));
  ASSERT_EQ(::chown(path.c_str(), 0, 0), 0);
  ::chmod(path.c_str(), 0600);
  EXPECT_THAT(seen_by_nobody(), HasSubstr("cannot be read: Permission denied"));
  ::chmod(dir.path().c_str(), 0700);
  EXPECT_THAT(seen_by_nobody(), HasSubstr("nothing: Permission denied"));
}

TEST(Trust, knows_when_the_environment_is_not_to_be_believed) {
  EXPECT_FALSE(is_privileged());
  if (!test::is_root())
    GTEST_SKIP()
        << "needs root for an effective user of its own: run the tests as root, sudo ./dev test";
  const std::string text = test::as_user(0, [] {
    if (::seteuid(nobody) != 0) return std::string("cannot change the effective user");
    return std::string(is_privileged() ? "privileged" : "not privileged");
  });
  EXPECT_EQ(text, "privileged");
}

TEST(Trust, reads_files_up_to_a_limit) {
  const TempDir dir;
  auto file = open_checked(dir.write("a", std::string(10000, 'x')), true);
  ASSERT_TRUE(file && *file);
  EXPECT_EQ(read_all((*file)->file, 10000), std::string(10000, 'x'));
  EXPECT_EQ(read_all((*file)->file, 9999), std::nullopt);
}

}  // namespace
}  // namespace weir::loader
