// SPDX-License-Identifier: MIT
//
// Goal: a pinned plugin is the one that was pinned, whatever happens to the file meanwhile. Method:
// SHA-256 against the vectors of FIPS 180-4, then pins that fit and pins that do not.
#include "core/loader/elf.hpp"
#include "core/loader/sha256.hpp"
#include "tests/loader/support.hpp"

#include <sys/stat.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::loader {
namespace {

using test::TempDir;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

void add(Sha256& hash, std::string_view text) {
  hash.add({reinterpret_cast<const unsigned char*>(text.data()), text.size()});
}

std::string sha256_of(std::string_view text) {
  Sha256 hash;
  add(hash, text);
  return hash.finish();
}

TEST(Sha256, agrees_with_the_published_vectors) {
  EXPECT_EQ(sha256_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_of("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
                      "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  EXPECT_EQ(sha256_of(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, does_not_care_how_the_bytes_come) {
  const std::string text(200, 'q');
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string_view whole = std::string_view(text).substr(0, size);
    Sha256 pieces;
    for (std::size_t at = 0; at < size; at += 7) add(pieces, whole.substr(at, 7));
    EXPECT_EQ(pieces.finish(), sha256_of(whole)) << size;
  }
}

TEST(Pin, a_file_with_the_pinned_hash_is_loaded_from_a_sealed_copy) {
  const TempDir dir;
  // Bytes behind its end make it a file that this process has not loaded yet.
  const std::string path =
      dir.write("plugin.so", test::read_file(test::zoo_path("good")) + dir.path());
  const std::string hash = sha256_of(test::read_file(path));
  auto loaded = load("minimal", test::pinned(path, hash), "/", {}, test::bare_surroundings());
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ((*loaded)->path, path);
  EXPECT_EQ((*loaded)->sha256, hash);
  EXPECT_TRUE((*loaded)->probed);
  EXPECT_THAT((*loaded)->notes, testing::IsEmpty());
  EXPECT_THAT(test::read_file("/proc/self/maps"), HasSubstr("/memfd:weir-plugin-" + hash));

  // Overwritten in place, a mapped file would change the code that runs; the copy does not.
  dir.write("plugin.so", std::string(100'000, '\0'));
  EXPECT_EQ((*loaded)->table->extension("x"), nullptr);
}

TEST(Pin, one_process_loads_the_same_pinned_library_once) {
  const TempDir dir;
  const std::string path = test::put_library(dir, "good");
  const std::string hash = sha256_of(test::read_file(path));
  auto first = load("minimal", test::pinned(path, hash), "/", {}, test::bare_surroundings());
  auto second = load("minimal", test::pinned(path, hash), "/", {}, test::bare_surroundings());
  ASSERT_TRUE(first && second);
  EXPECT_EQ((*first)->table->env_create, (*second)->table->env_create);
}

TEST(Pin, refuses_another_file) {
  const TempDir dir;
  const std::string path = test::put_library(dir, "good");
  const std::string actual = sha256_of(test::read_file(path));
  EXPECT_THAT(test::load_outcome(test::pinned(path, std::string(64, '0'))),
              AllOf(StartsWith("W202 driver \"minimal\": " + path + " is not the file"),
                    HasSubstr(actual), HasSubstr("[drivers.minimal] sha256 says")));
  // The same file with one byte more behind its end is another file.
  dir.write("plugin.so", test::read_file(path) + "x");
  EXPECT_THAT(test::load_outcome(test::pinned(path, actual)), StartsWith("W202 "));
}

TEST(Pin, must_be_64_hex_digits_of_either_case) {
  const TempDir dir;
  const std::string path = test::put_library(dir, "good");
  std::string hash = sha256_of(test::read_file(path));
  for (const char* bad : {"abc", "zz", "0x12"}) {
    EXPECT_THAT(test::load_outcome(test::pinned(path, bad)),
                AllOf(StartsWith("W202 "), HasSubstr("64 hex digits")));
  }
  for (char& c : hash) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_EQ(test::load_outcome(test::pinned(path, hash)), "ok " + path);
}

TEST(Pin, applies_to_a_library_that_the_search_finds_and_wins_over_the_manifest) {
  const TempDir dir;
  test::put_plugin(dir, "good");
  const std::string hash = sha256_of(test::read_file(dir / "plugin.so"));
  dir.write("minimal.toml", fmt::format("{}[driver.sha256]\n{} = \"{}\"\n", test::manifest_text(),
                                        platform(), std::string(64, '1')));
  DriversConfig config = test::search_in(dir.path());
  EXPECT_THAT(test::load_outcome(config),
              AllOf(StartsWith("W202 "), HasSubstr(dir / "minimal.toml" + " says")));
  config.pins["minimal"].sha256 = hash;
  EXPECT_EQ(test::load_outcome(config), "ok " + dir / "plugin.so");
}

TEST(Pin, a_damaged_or_crashing_file_is_refused_although_it_was_pinned) {
  const TempDir dir;
  const std::string cut = test::read_file(test::zoo_path("good")).substr(0, 3000);
  const std::string path = dir.write("plugin.so", cut);
  EXPECT_THAT(test::load_outcome(test::pinned(path, sha256_of(cut))), HasSubstr("is truncated"));

  const std::string crash = test::put_library(dir, "crash_entry", "crash.so");
  EXPECT_THAT(test::load_outcome(test::pinned(crash, sha256_of(test::read_file(crash)))),
              AllOf(StartsWith("W203 "), HasSubstr(crash + " crashes when it is loaded")));
}

TEST(Pin, a_pinned_file_that_others_can_write_is_still_refused_unless_relaxed) {
  const TempDir dir;
  const std::string path = test::put_library(dir, "good");
  ::chmod(path.c_str(), 0666);
  DriversConfig config = test::pinned(path, sha256_of(test::read_file(path)));
  EXPECT_THAT(test::load_outcome(config), AllOf(StartsWith("W202 "), HasSubstr("mode 0666")));
  config.strict_permissions = false;
  EXPECT_EQ(test::load_outcome(config), "ok " + path);
}

}  // namespace
}  // namespace weir::loader
