// SPDX-License-Identifier: MIT
//
// Diagnostics: what is wrong in a file, where, and what to write instead, rendered like a
// compiler's.
//
//   error[W103]: unknown key `acquire_timout` in [pool.orders]
//     --> app.toml:11:1
//      |
//   11 | acquire_timout = "10s"
//      | ^^^^^^^^^^^^^^ did you mean `acquire_timeout`?
//
// Secrets: a Source shows a line less its comment and less the regions that were hidden before, so
//          hide() every value that may be secret before the first render().
// Text:    plain, no colours.
#pragma once

#include "core/config/toml_scan.hpp"
#include "core/config/toml_tree.hpp"

#include <weir/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

struct Diagnostic {
  Code code;
  Place place;          // line 0: the file as a whole
  std::string message;  // one sentence, without a full stop
  std::string label;    // beside the caret; may be empty
  std::vector<std::string> notes;
};

class Source {
 public:
  // `text` must outlive the Source.
  Source(std::string_view name, std::string_view text);

  // From now on this region appears as one "…".
  void hide(const Place& place) { hidden_.push_back(place); }

  // For a file that could not be parsed, so that nobody knows where its secrets are: of the faulty
  // line no more is shown than what cannot be one.
  void hide_unparsed(const Place& fault);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::string render(const Diagnostic& diagnostic) const;

 private:
  [[nodiscard]] std::string excerpt(const Diagnostic& diagnostic) const;

  std::string name_;
  std::vector<LineInfo> lines_;
  std::vector<Place> hidden_;
};

// One Error for all: its code is that of the only one, or config_many. Sorts by place.
// Requires: at least one diagnostic.
[[nodiscard]] Error to_error(const Source& source, std::vector<Diagnostic> diagnostics);

}  // namespace weir::config
