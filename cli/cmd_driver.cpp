// SPDX-License-Identifier: MIT
//
// weir driver list.
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "core/base/text.hpp"
#include "core/config/driver_options.hpp"
#include "core/loader/loader.hpp"

#include <fmt/format.h>

namespace weir::cli {
namespace {

using loader::DriverListing;
using nlohmann::ordered_json;

std::string text_or(const char* text, std::string_view otherwise) {
  return text == nullptr || *text == '\0' ? std::string(otherwise) : printable(text);
}

std::string license_of(const DriverListing& listing) {
  const std::string own = text_or(listing.driver->table.info().license, "");
  if (!own.empty() || !listing.driver->manifest) return own.empty() ? "not stated" : own;
  const std::string& manifest = listing.driver->manifest->license;
  return manifest.empty() ? "not stated" : printable(manifest);
}

ordered_json option_json(const weir_option_spec& option) {
  ordered_json j{{"key", option.key}, {"type", config::option_type_text(option)}};
  if (option.default_value != nullptr && (option.flags & WEIR_OPT_SECRET) == 0) {
    j["default"] = option.default_value;
  }
  j["required"] = (option.flags & WEIR_OPT_REQUIRED) != 0;
  j["secret"] = (option.flags & WEIR_OPT_SECRET) != 0;
  j["doc"] = text_or(option.doc, "");
  return j;
}

ordered_json listing_json(const DriverListing& listing) {
  ordered_json j{{"name", listing.name},
                 {"usable", listing.driver != nullptr},
                 {"path", listing.path},
                 {"found_in", listing.found_in}};
  if (listing.refused) j["error"] = to_json(*listing.refused);
  if (!listing.shadowed_by.empty()) j["shadowed_by"] = listing.shadowed_by;
  if (!listing.driver) return j;
  const weir_driver& driver = *listing.driver->table;
  const weir_info& about = listing.driver->table.info();
  j["version"] = text_or(about.version, "");
  j["abi"] = fmt::format("{}.{}", driver.abi_major, driver.abi_minor);
  j["license"] = license_of(listing);
  j["description"] = text_or(about.description, "");
  j["client_version"] = text_or(about.client_version, "");
  j["placeholder"] = text_or(about.placeholder, "");
  j["url_schemes"] = text_or(about.url_schemes, "");
  j["capabilities"] = ordered_json::array();
  for (const std::string_view name : loader::capability_names(driver.caps)) {
    j["capabilities"].push_back(std::string(name));
  }
  j["options"] = ordered_json::array();
  for (const weir_option_spec& option : listing.driver->table.options()) {
    j["options"].push_back(option_json(option));
  }
  return j;
}

void print_field(Output& out, std::string_view label, std::string_view value) {
  if (!value.empty()) out.data(fmt::format("  {:<14}{}\n", label, value));
}

// Words in lines of at most 76 columns below a label.
std::string wrapped(const std::vector<std::string_view>& words) {
  std::string text;
  std::size_t column = 0;
  for (const std::string_view word : words) {
    if (column != 0 && column + word.size() > 60) {
      text += fmt::format("\n{:16}", "");
      column = 0;
    }
    text += fmt::format("{}{}", column == 0 ? "" : " ", word);
    column += word.size() + 1;
  }
  return text;
}

void print_option(Output& out, const weir_option_spec& option) {
  const std::string type = config::option_type_text(option);
  std::string standard;
  if ((option.flags & WEIR_OPT_SECRET) != 0) {
    standard = ", secret";
  } else if (option.default_value != nullptr) {
    standard =
        fmt::format(", default {}", *option.default_value == '\0' ? "empty" : option.default_value);
  }
  if ((option.flags & WEIR_OPT_REQUIRED) != 0) standard += ", required";
  out.data(fmt::format("    {}  {}\n", out.toned(Tone::strong, option.key),
                       out.toned(Tone::dim, type + standard)));
  out.data(fmt::format("        {}\n", text_or(option.doc, "")));
}

void print_listing(Output& out, const DriverListing& listing) {
  const std::string name = out.toned(Tone::strong, printable(listing.name));
  if (!listing.driver) {
    out.data(fmt::format("{} {}  {}\n", out.mark(false), name, printable(listing.path)));
    if (!listing.shadowed_by.empty()) {
      out.data(fmt::format("  not used: {} comes first\n", printable(listing.shadowed_by)));
    }
    if (listing.refused) {
      out.data(fmt::format("  refused: {} [{} {}]\n", listing.refused->message(),
                           listing.refused->id(), listing.refused->name()));
    }
    return;
  }
  const weir_driver& driver = *listing.driver->table;
  const weir_info& about = listing.driver->table.info();
  out.data(fmt::format("{} {} {}\n", out.mark(true), name, text_or(about.version, "")));
  out.data(fmt::format("  {}\n", text_or(about.description, "no description")));
  print_field(out, "path", printable(listing.path));
  print_field(out, "found in", printable(listing.found_in));
  print_field(out, "ABI", fmt::format("{}.{}", driver.abi_major, driver.abi_minor));
  print_field(out, "licence", license_of(listing));
  print_field(out, "client", text_or(about.client_version, ""));
  print_field(out, "url schemes", text_or(about.url_schemes, ""));
  print_field(out, "capabilities", wrapped(loader::capability_names(driver.caps)));
  if (!listing.driver->table.options().empty())
    print_field(out, "options", "[pool.<name>.options]");
  for (const weir_option_spec& option : listing.driver->table.options()) print_option(out, option);
}

}  // namespace

int run_driver_list(Context& context) {
  DriversConfig where;
  std::string base_dir = ".";
  if (auto places = driver_places(context, where, base_dir); !places) {
    return context.fail(places.error());
  }
  const std::vector<DriverListing> found = loader::list(where, base_dir, {});
  bool usable = false;
  ordered_json all = ordered_json::array();
  for (const DriverListing& listing : found) {
    usable = usable || listing.driver != nullptr;
    if (context.global.json) {
      all.push_back(listing_json(listing));
    } else {
      if (&listing != &found.front()) context.out.data("\n");
      print_listing(context.out, listing);
    }
  }
  if (context.global.json) context.json({{"drivers", all}});
  if (!usable) {
    std::string places;
    for (const std::string& directory : where.search) places += fmt::format("  {}\n", directory);
    for (const auto& place : loader::Surroundings::of_this_process().system_places) {
      places += fmt::format("  {} ({})\n", place.directory, place.why);
    }
    context.out.prose(fmt::format("weir: no usable driver was found; looked in\n{}", places));
  }
  return usable ? exit_ok : exit_unavailable;
}

}  // namespace weir::cli
