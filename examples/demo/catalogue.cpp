// SPDX-License-Identifier: MIT
#include "catalogue.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace demo {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Calls fn with each trimmed part of `text` between two separators.
template <class F>
void for_each_part(std::string_view text, char separator, F&& fn) {
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (const auto part = trimmed(text.substr(0, end)); !part.empty()) fn(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// "libc6 (>= 2.36), debconf (>= 0.5) | debconf-2.0, perl:any": the names, each once.
void add_dependencies(Package& package, std::string_view list, const std::string& kind) {
  for_each_part(list, ',', [&](std::string_view alternatives) {
    for_each_part(alternatives, '|', [&](std::string_view alternative) {
      const std::string on(alternative.substr(0, alternative.find_first_of(" (:[")));
      const bool known = std::any_of(
          package.dependencies.begin(), package.dependencies.end(),
          [&](const Dependency& other) { return other.on == on && other.kind == kind; });
      if (!known) package.dependencies.push_back({on, kind});
    });
  });
}

struct Paragraph {
  Package package;
  bool installed = false;

  void add(std::string_view field, std::string_view value) {
    if (field == "Package") package.name = value;
    if (field == "Architecture") package.architecture = value;
    if (field == "Version") package.version = value;
    if (field == "Section") package.section = value;
    if (field == "Status") installed = value.ends_with(" installed");
    if (field == "Installed-Size") {
      std::from_chars(value.data(), value.data() + value.size(), package.size_kib);
    }
    if (field == "Depends" || field == "Pre-Depends") {
      add_dependencies(package, value, std::string(field));
    }
  }
};

}  // namespace

std::vector<Package> read_catalogue(std::istream& in) {
  std::vector<Package> packages;
  Paragraph paragraph;
  const auto finish = [&] {
    if (paragraph.installed && !paragraph.package.name.empty()) {
      packages.push_back(std::move(paragraph.package));
    }
    paragraph = {};
  };
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) {
      finish();
    } else if (line.front() != ' ' && line.front() != '\t') {  // else: more of a field we skip
      const auto colon = line.find(':');
      if (colon == std::string::npos) continue;
      const std::string_view text = line;
      paragraph.add(text.substr(0, colon), trimmed(text.substr(colon + 1)));
    }
  }
  finish();
  return packages;
}

}  // namespace demo
