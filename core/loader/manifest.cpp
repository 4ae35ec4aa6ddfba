// SPDX-License-Identifier: MIT
#include "core/loader/manifest.hpp"

#include "core/loader/elf.hpp"
#include "core/loader/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace weir::loader {

namespace {

constexpr std::int64_t manifest_version = 1;

std::string at(const std::string& file, const toml::source_region& source) {
  if (source.begin.line == 0) return file;
  return fmt::format("{}:{}:{}", file, source.begin.line, source.begin.column);
}

tl::unexpected<Error> wrong(const std::string& where, std::string_view what) {
  return fail(Code::driver_manifest, fmt::format("{}: {}", where, what));
}

// "1.0" -> {1, 0}; nothing if it is no such text.
std::optional<std::pair<unsigned, unsigned>> parse_abi(std::string_view text) {
  std::pair<unsigned, unsigned> version;
  const char* const end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, version.first);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, version.second);
  if (minor.ec != std::errc() || minor.ptr != end) return std::nullopt;
  return version;
}

class Reader {
 public:
  Reader(const toml::table& root, const std::string& file) : root_(root), file_(file) {}

  Result<Manifest> read(std::string_view expected_name);

 private:
  Result<void> read_version();
  Result<void> read_texts(const toml::table& driver);
  Result<void> check_name(const toml::table& driver, std::string_view expected_name) const;
  Result<void> check_abi(const toml::table& driver) const;
  Result<void> read_library(const toml::table& driver);
  Result<void> read_sha256(const toml::table& driver);
  Result<void> read_caps(const toml::table& driver);
  void warn_unknown(const toml::table& table, std::string_view prefix,
                    std::initializer_list<std::string_view> known);

  // The text of `key`, null if absent. Errors: another type.
  Result<const std::string*> text_of(const toml::table& table, std::string_view key) const;
  Result<const toml::table*> table_of(const toml::table& table, std::string_view key) const;
  // The path of this platform in a table that has one entry per platform; null if absent.
  Result<const std::string*> for_platform(const toml::table& table) const;

  const toml::table& root_;
  const std::string& file_;
  Manifest manifest_;
};

Result<const std::string*> Reader::text_of(const toml::table& table, std::string_view key) const {
  const toml::node* node = table.get(key);
  if (node == nullptr) return nullptr;
  const auto* text = node->as_string();
  if (text == nullptr) {
    return wrong(at(file_, node->source()), fmt::format("\"{}\" must be a text", key));
  }
  return &text->get();
}

Result<const toml::table*> Reader::table_of(const toml::table& table, std::string_view key) const {
  const toml::node* node = table.get(key);
  if (node == nullptr) return nullptr;
  const auto* inner = node->as_table();
  if (inner == nullptr) {
    return wrong(at(file_, node->source()), fmt::format("\"{}\" must be a table", key));
  }
  return inner;
}

Result<const std::string*> Reader::for_platform(const toml::table& table) const {
  for (const auto& [key, node] : table) {
    if (!node.is_string()) {
      return wrong(at(file_, node.source()), fmt::format("\"{}\" must be a text", key.str()));
    }
  }
  return text_of(table, platform());
}

void Reader::warn_unknown(const toml::table& table, std::string_view prefix,
                          std::initializer_list<std::string_view> known) {
  for (const auto& [key, node] : table) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    manifest_.warnings.push_back(fmt::format("{}: unknown key \"{}{}\" is ignored",
                                             at(file_, node.source()), prefix,
                                             one_line(key.str(), 64)));
  }
}

Result<void> Reader::read_version() {
  const toml::node* node = root_.get("manifest");
  if (node == nullptr) {
    return wrong(file_, fmt::format("\"manifest = {}\" is missing", manifest_version));
  }
  const auto version = node->value_exact<std::int64_t>();
  if (!version || *version < 1) {
    return wrong(at(file_, node->source()), "\"manifest\" must be a whole number from 1 up");
  }
  if (*version > manifest_version) {
    return wrong(at(file_, node->source()),
                 fmt::format("manifest version {} is newer than this Weir knows ({}); upgrade Weir",
                             *version, manifest_version));
  }
  return {};
}

Result<void> Reader::read_texts(const toml::table& driver) {
  struct Entry {
    std::string_view key;
    std::string* to;
    bool required;
  };
  ManifestInfo& info = manifest_.info;
  const std::array entries{Entry{"name", &info.name, true},
                           Entry{"version", &info.version, true},
                           Entry{"abi", &info.abi, false},
                           Entry{"license", &info.license, false},
                           Entry{"publisher", &info.publisher, false},
                           Entry{"url", &info.url, false},
                           Entry{"description", &info.description, false}};
  for (const Entry& entry : entries) {
    auto text = text_of(driver, entry.key);
    if (!text) return fail(std::move(text).error());
    if (*text != nullptr) *entry.to = **text;
    if (entry.required && entry.to->empty()) {
      return wrong(at(file_, driver.source()), fmt::format("[driver] lacks \"{}\"", entry.key));
    }
  }
  return {};
}

Result<void> Reader::check_name(const toml::table& driver, std::string_view expected_name) const {
  const std::string& name = manifest_.info.name;
  const std::string where = at(file_, driver.get("name")->source());
  if (!is_driver_name(name)) {
    return wrong(where, fmt::format("\"{}\" is no driver name: [a-z0-9][a-z0-9_-]{{0,63}} expected",
                                    one_line(name, 64)));
  }
  if (!expected_name.empty() && name != expected_name) {
    return wrong(where, fmt::format("it is the manifest of the driver \"{0}\", not of \"{1}\"; "
                                    "the manifest of \"{0}\" is called {0}.toml",
                                    name, expected_name));
  }
  return {};
}

Result<void> Reader::check_abi(const toml::table& driver) const {
  auto minimum = text_of(driver, "min_host_abi");
  if (!minimum) return fail(std::move(minimum).error());
  const std::pair<unsigned, unsigned> own{WEIR_ABI_MAJOR, WEIR_ABI_MINOR};
  if (*minimum != nullptr) {
    const auto version = parse_abi(**minimum);
    if (!version) return wrong(file_, "\"min_host_abi\" must look like \"1.0\"");
    if (*version > own) {
      return wrong(file_, fmt::format("the driver needs driver ABI {} of its host, this Weir has "
                                      "{}.{}; upgrade Weir",
                                      **minimum, own.first, own.second));
    }
  }
  const std::string& abi = manifest_.info.abi;
  if (abi.empty()) return {};
  const auto version = parse_abi(abi);
  if (!version) return wrong(file_, "\"abi\" must look like \"1.0\"");
  if (version->first != own.first) {
    return wrong(file_, fmt::format("the driver was built for driver ABI {}, this Weir has {}.{}",
                                    abi, own.first, own.second));
  }
  return {};
}

Result<void> Reader::read_library(const toml::table& driver) {
  auto table = table_of(driver, "library");
  if (!table) return fail(std::move(table).error());
  if (*table == nullptr) return wrong(at(file_, driver.source()), "[driver.library] is missing");
  auto library = for_platform(**table);
  if (!library) return fail(std::move(library).error());
  const std::string where = at(file_, (*table)->source());
  if (*library == nullptr) {
    std::string others;
    for (const auto& [key, node] : **table) {
      others += (others.empty() ? "" : ", ") + one_line(key.str(), 64);
    }
    return wrong(where, fmt::format("[driver.library] has no entry for this platform, {}; it has: "
                                    "{}",
                                    platform(), others.empty() ? "none" : others));
  }
  const std::string& path = **library;
  const std::string padded = "/" + path + "/";
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string::npos ||
      padded.find("/../") != std::string::npos) {
    return wrong(where, fmt::format("the library \"{}\" must be a path relative to the manifest, "
                                    "without \"..\"",
                                    one_line(path)));
  }
  manifest_.library = file_.substr(0, file_.rfind('/') + 1) + path;
  return {};
}

Result<void> Reader::read_sha256(const toml::table& driver) {
  auto table = table_of(driver, "sha256");
  if (!table) return fail(std::move(table).error());
  if (*table == nullptr) return {};
  auto digest = for_platform(**table);
  if (!digest) return fail(std::move(digest).error());
  if (*digest != nullptr) manifest_.sha256 = **digest;
  return {};
}

Result<void> Reader::read_caps(const toml::table& driver) {
  auto table = table_of(driver, "caps");
  if (!table) return fail(std::move(table).error());
  if (*table == nullptr) return {};
  for (const auto& [key, node] : **table) {
    const auto claimed = node.value_exact<bool>();
    if (!claimed) {
      return wrong(
          at(file_, node.source()),
          fmt::format("[driver.caps] \"{}\" must be true or false", one_line(key.str(), 64)));
    }
    if (capability_bit(key.str()) == 0) {
      manifest_.warnings.push_back(fmt::format("{}: unknown capability \"{}\" is ignored",
                                               at(file_, node.source()), one_line(key.str(), 64)));
      continue;
    }
    manifest_.caps.emplace(key.str(), *claimed);
  }
  return {};
}

Result<Manifest> Reader::read(std::string_view expected_name) {
  manifest_.info.file = file_;
  if (auto ok = read_version(); !ok) return fail(std::move(ok).error());
  auto driver = table_of(root_, "driver");
  if (!driver) return fail(std::move(driver).error());
  if (*driver == nullptr) return wrong(file_, "the table [driver] is missing");
  const toml::table& table = **driver;
  warn_unknown(root_, "", {"manifest", "driver"});
  warn_unknown(table, "driver.",
               {"name", "version", "abi", "min_host_abi", "license", "publisher", "url",
                "description", "uri_schemes", "library", "sha256", "caps"});
  if (auto ok = read_texts(table); !ok) return fail(std::move(ok).error());
  if (auto ok = check_name(table, expected_name); !ok) return fail(std::move(ok).error());
  if (auto ok = check_abi(table); !ok) return fail(std::move(ok).error());
  if (auto ok = read_library(table); !ok) return fail(std::move(ok).error());
  if (auto ok = read_sha256(table); !ok) return fail(std::move(ok).error());
  if (auto ok = read_caps(table); !ok) return fail(std::move(ok).error());
  return std::move(manifest_);
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view text, const std::string& file,
                                std::string_view expected_name) {
  if (text.size() > manifest_size_max) {
    return wrong(file, fmt::format("a manifest has at most {} bytes", manifest_size_max));
  }
  try {
    const toml::table root = toml::parse(text, file);
    return Reader(root, file).read(expected_name);
  } catch (const toml::parse_error& error) {
    return wrong(at(file, error.source()),
                 fmt::format("not valid TOML: {}", one_line(error.description())));
  }
}

Result<void> compare_with_library(const Manifest& manifest, const DriverTable& table,
                                  std::string_view library) {
  const auto differs = [&](std::string_view what, std::string_view said, std::string_view is) {
    return wrong(manifest.info.file,
                 fmt::format("it says {} {}, but {} says {}; install both from the same build, and "
                             "restart programs that have an older one loaded",
                             what, one_line(said, 64), library, one_line(is, 64)));
  };
  if (table.name() != manifest.info.name) {
    return differs("driver", manifest.info.name, table.name());
  }
  if (table.info().version != manifest.info.version) {
    return differs("version", manifest.info.version, table.info().version);
  }
  for (const auto& [name, claimed] : manifest.caps) {
    if (table.has(capability_bit(name)) == claimed) continue;
    return differs(name, claimed ? "true" : "false", claimed ? "false" : "true");
  }
  return {};
}

}  // namespace weir::loader
