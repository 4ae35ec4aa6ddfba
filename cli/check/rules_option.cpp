// SPDX-License-Identifier: MIT
//
// Level 2: sources and their options. No database is touched.
#include "cli/check/client.hpp"
#include "cli/check/fence.hpp"
#include "cli/check/process_look.hpp"
#include "cli/check/rule.hpp"
#include "core/base/duration_text.hpp"

#include <vector>

namespace weir::check {
namespace {

// One env, and sources of it made at will.
class Maker {
 public:
  explicit Maker(const Subject& subject) : subject_(subject), driver_(subject.driver()) {
    const weir_status status = driver_.env_create(host.abi(), &env, &error);
    expect(status == WEIR_OK, "env_create failed with {}: {}", kind_name(status), error.what());
  }
  ~Maker() { driver_.env_destroy(env); }
  Maker(const Maker&) = delete;
  Maker& operator=(const Maker&) = delete;

  // Makes a source with the quirks' options and these; ends it again if there is one.
  weir_status make(const Options& more, std::string_view what) {
    Options all;
    for (const auto& option : subject_.quirks().options) {
      bool given = false;
      for (const auto& other : more) given |= other.first == option.first;
      if (!given) all.push_back(option);
    }
    all.insert(all.end(), more.begin(), more.end());
    return make_exactly(all, what);
  }
  weir_status make_exactly(const Options& all, std::string_view what) {
    std::vector<weir_option> list;
    list.reserve(all.size());
    for (const auto& [key, value] : all) list.push_back({text(key), text(value)});
    weir_source_args args = plain_args();
    args.options = list.data();
    args.option_count = list.size();
    error.clear();
    weir_source* made = nullptr;
    weir_source_traits traits{};
    traits.struct_size = sizeof traits;
    step("source_create with {}", what);
    const weir_status status = driver_.source_create(env, &args, &made, &traits, &error);
    if (status == WEIR_OK) {
      display = string_of(traits.display);
      driver_.source_destroy(made);
    } else {
      expect(made == nullptr, "source_create with {} failed and wrote to *source all the same",
             what);
    }
    return status;
  }
  // The error must be CONFIG and name the key.
  void must_be_refused(weir_status status, std::string_view key, std::string_view what) const {
    expect(status == WEIR_E_CONFIG, "source_create with {} ended with {}, expected config", what,
           kind_name(status));
    expect(error.what().find(key) != std::string::npos,
           "source_create with {} is refused by '{}', which does not name the option", what,
           error.what());
  }
  [[nodiscard]] weir_source_args plain_args() const {
    weir_source_args args{};
    args.struct_size = sizeof args;
    args.url = text(subject_.job().url);
    args.base_dir = text(subject_.job().directory);
    return args;
  }

  Host host;
  weir_env* env = nullptr;
  Error error;
  std::string display;

 private:
  const Subject& subject_;
  const weir_driver& driver_;
};

void creates(Subject& subject) {
  Maker maker(subject);
  const weir_status status = maker.make({}, "the quirks' options");
  expect(status == WEIR_OK, "source_create for '{}' failed with {}: {}; is the URL right?",
         subject.job().url, kind_name(status), maker.error.what());
}

// As the host hands a default over: durations in nanoseconds.
std::string handed_over(const weir_option_spec& spec) {
  if (spec.type != WEIR_OPT_DURATION) return spec.default_value;
  const auto duration = parse_duration(spec.default_value);
  return duration ? fmt::format("{}", duration->count()) : std::string(spec.default_value);
}

void defaults(Subject& subject) {
  Maker maker(subject);
  for (const weir_option_spec& spec : subject.table().options()) {
    if (spec.default_value == nullptr) continue;
    const weir_status status =
        maker.make({{spec.key, handed_over(spec)}}, fmt::format("the default of {}", spec.key));
    expect(status == WEIR_OK, "its own default '{}' for {} is refused with {}: {}",
           spec.default_value, spec.key, kind_name(status), maker.error.what());
  }
}

void unknown_key(Subject& subject) {
  Maker maker(subject);
  maker.must_be_refused(maker.make({{"no_such_key", "1"}}, "an unknown option"), "no_such_key",
                        "the unknown option no_such_key");
}

void bad_value(Subject& subject) {
  Maker maker(subject);
  bool asked = false;
  for (const weir_option_spec& spec : subject.table().options()) {
    if (spec.type == WEIR_OPT_STRING) continue;
    asked = true;
    for (const char* value : {"no_such_value", ""}) {
      const std::string what = fmt::format("{} = '{}'", spec.key, value);
      maker.must_be_refused(maker.make({{spec.key, value}}, what), spec.key, what);
    }
  }
  if (!asked) skip("all its options are strings, or it has none");
}

void twice(Subject& subject) {
  Maker maker(subject);
  bool asked = false;
  for (const weir_option_spec& spec : subject.table().options()) {
    const std::string value = spec.default_value == nullptr ? "1" : handed_over(spec);
    asked = true;
    const std::string what = fmt::format("{} given twice", spec.key);
    maker.must_be_refused(maker.make({{spec.key, value}, {spec.key, value}}, what), spec.key, what);
  }
  if (!asked) skip("it has no options");
}

void hostile(Subject& subject) {
  Maker maker(subject);
  constexpr std::size_t huge = 1 << 20;
  const std::string values[] = {
      std::string(huge, '9'), std::string("1\0", 2), "\xff\xfe", "\n", "%s%n",
      std::string(huge, 'x')};
  for (const weir_option_spec& spec : subject.table().options()) {
    for (const std::string& value : values) {
      const std::string what =
          fmt::format("a strange value of {} bytes for {}", value.size(), spec.key);
      const weir_status status = maker.make({{spec.key, value}}, what);
      if (status == WEIR_OK && spec.type == WEIR_OPT_STRING) continue;
      maker.must_be_refused(status, spec.key, what);
    }
  }
  const std::string keys[] = {"", std::string(huge, 'k'), std::string("no\0key", 6), "\xff\xfe"};
  for (const std::string& key : keys) {
    const weir_status status = maker.make({{key, "1"}}, "a strange key");
    expect(status == WEIR_E_CONFIG, "a strange key of {} bytes ended with {}, expected config",
           key.size(), kind_name(status));
  }
}

// A value that is a mistake elsewhere, too, so that messages are provoked.
void secrets(Subject& subject) {
  Maker maker(subject);
  constexpr std::string_view secret = "xyzzy-1942";
  Options options;
  for (const weir_option_spec& spec : subject.table().options()) {
    if ((spec.flags & WEIR_OPT_SECRET) != 0) options.emplace_back(spec.key, std::string(secret));
  }
  if (options.empty()) skip("it has no secret option");
  const auto check = [&](std::string_view where, const std::string& said) {
    expect(said.find(secret) == std::string::npos, "{} shows the value of a secret option", where);
  };
  maker.make(options, "secret options");
  check("the error's text", maker.error.what());
  check("traits.display", maker.display);
  options.emplace_back("no_such_key", std::string(secret));
  maker.make(options, "secret options and an unknown one");
  check("the error's text", maker.error.what());
  check("the log", maker.host.log());
}

void required(Subject& subject) {
  Maker maker(subject);
  bool asked = false;
  for (const weir_option_spec& spec : subject.table().options()) {
    if ((spec.flags & WEIR_OPT_REQUIRED) == 0) continue;
    asked = true;
    Options others;
    for (const auto& option : subject.quirks().options) {
      if (option.first != spec.key) others.push_back(option);
    }
    const std::string what = fmt::format("{} missing", spec.key);
    maker.must_be_refused(maker.make_exactly(others, what), spec.key, what);
  }
  if (!asked) skip("no option is required");
}

void connects_to_nothing(Subject& subject) {
  Maker maker(subject);
  maker.make({}, "the quirks' options");
  const ProcessLook before = ProcessLook::take();
  maker.host.forget_counts();
  weir_source* made = nullptr;
  std::vector<weir_option> list;
  for (const auto& [key, value] : subject.quirks().options)
    list.push_back({text(key), text(value)});
  weir_source_args args = maker.plain_args();
  args.options = list.data();
  args.option_count = list.size();
  step("source_create");
  const weir_status status =
      subject.driver().source_create(maker.env, &args, &made, nullptr, &maker.error);
  expect(status == WEIR_OK, "source_create without traits failed with {}: {}", kind_name(status),
         maker.error.what());
  const std::string changed = descriptors_changed_since(before);
  expect(changed.empty(), "a source connects to nothing, but {}", changed);
  expect(maker.host.waits() == 0,
         "source_create waited {} times: it checks, and connects to nothing", maker.host.waits());
  step("source_destroy");
  subject.driver().source_destroy(made);
}

void must_understand(Subject& subject) {
  Maker maker(subject);
  weir_source_args args = maker.plain_args();
  for (const std::uint32_t bit : {1U, 1U << 17, 1U << 31}) {
    args.must_understand = bit;
    weir_source* made = nullptr;
    step("source_create with must_understand {:#x}", bit);
    const weir_status status =
        subject.driver().source_create(maker.env, &args, &made, nullptr, nullptr);
    expect(status == WEIR_E_UNSUPPORTED,
           "source_create with the unknown must_understand bit {:#x} ended with {}, expected "
           "unsupported",
           bit, kind_name(status));
  }
}

void sizes_in(Subject& subject) {
  Maker maker(subject);
  const FencedText url(subject.job().url);
  const FencedText base(subject.job().directory);
  weir_source_args args{};
  args.url = url.get();
  args.base_dir = base.get();
  const auto& options = subject.quirks().options;
  const Fence list(options.size() * sizeof(weir_option));
  std::vector<std::unique_ptr<FencedText>> owned;
  for (std::size_t i = 0; i < options.size(); ++i) {
    owned.push_back(std::make_unique<FencedText>(options[i].first));
    owned.push_back(std::make_unique<FencedText>(options[i].second));
    const weir_option option{owned[2 * i]->get(), owned[2 * i + 1]->get()};
    std::memcpy(static_cast<char*>(list.object()) + i * sizeof option, &option, sizeof option);
  }
  args.options = static_cast<const weir_option*>(list.object());
  args.option_count = options.size();
  for_each_size<weir_source_args>([&](std::uint32_t size) {
    const Fenced<weir_source_args> fenced(args, size);
    weir_source* made = nullptr;
    step("source_create with weir_source_args of {} bytes", size);
    const weir_status status =
        subject.driver().source_create(maker.env, fenced.get(), &made, nullptr, nullptr);
    expect(fenced.is_intact(), "source_create wrote to weir_source_args of {} bytes", size);
    expect(
        status == WEIR_OK || size < sizeof args,
        "source_create with weir_source_args of {} bytes, of which {} are today's, failed with {}",
        size, sizeof args, kind_name(status));
    if (status == WEIR_OK) subject.driver().source_destroy(made);
  });
}

void sizes_out(Subject& subject) {
  Maker maker(subject);
  std::vector<weir_option> list;
  for (const auto& [key, value] : subject.quirks().options)
    list.push_back({text(key), text(value)});
  weir_source_args args = maker.plain_args();
  args.options = list.data();
  args.option_count = list.size();
  for_each_size<weir_source_traits>([&](std::uint32_t size) {
    const Fenced<weir_source_traits> out({}, size);
    weir_source* made = nullptr;
    step("source_create with weir_source_traits of {} bytes", size);
    const weir_status status =
        subject.driver().source_create(maker.env, &args, &made, out.get(), nullptr);
    expect(status == WEIR_OK, "source_create with weir_source_traits of {} bytes failed with {}",
           size, kind_name(status));
    expect(out.is_intact(), "source_create wrote outside weir_source_traits of {} bytes", size);
    subject.driver().source_destroy(made);
  });
}

void outputs_untouched(Subject& subject) {
  Maker maker(subject);
  weir_source_args args = maker.plain_args();
  const weir_option wrong{text("no_such_key"), text("1")};
  args.options = &wrong;
  args.option_count = 1;
  auto* const untouched = reinterpret_cast<weir_source*>(std::uintptr_t{64});
  weir_source* made = untouched;
  weir_source_traits traits{};
  traits.struct_size = sizeof traits;
  traits.connections_max = 77;
  step("source_create with an unknown option");
  const weir_status status =
      subject.driver().source_create(maker.env, &args, &made, &traits, nullptr);
  if (status == WEIR_OK) skip("it takes an unknown option");
  expect(made == untouched && traits.connections_max == 77,
         "source_create failed and wrote to its outputs all the same");
}

constexpr Rule table[] = {
    {"L2.source.creates", Grade::must, "D12", "A source is made of a right URL and right options.",
     Needs::source, 0, "", creates, true},
    {"L2.options.defaults", Grade::must, "D12",
     "The defaults of its options are accepted as a host hands them over.", Needs::source, 0, "",
     defaults},
    {"L2.options.unknown", Grade::must, "D12", "An unknown option is a config error that names it.",
     Needs::source, 0, "", unknown_key},
    {"L2.options.bad_value", Grade::must, "D12",
     "A value of another type is a config error that names the option.", Needs::source, 0, "",
     bad_value},
    {"L2.options.twice", Grade::must, "D12",
     "An option given twice is a config error that names it.", Needs::source, 0, "", twice},
    {"L2.options.hostile", Grade::must, "D12",
     "Values and keys that are huge, empty or no text are refused or kept, and harm nobody.",
     Needs::source, 0, "", hostile},
    {"L2.options.secret", Grade::must, "D12",
     "The value of a secret option is in no error, no log line and no display.", Needs::source, 0,
     "", secrets},
    {"L2.options.required", Grade::must, "D12",
     "A required option that is missing is a config error that names it.", Needs::source, 0, "",
     required},
    {"L2.source.no_io", Grade::must, "D12", "source_create opens nothing and waits for nothing.",
     Needs::source, 0, "", connects_to_nothing},
    {"L2.source.must_understand", Grade::must, "D15",
     "source_create refuses must_understand bits that it does not know.", Needs::source, 0, "",
     must_understand},
    {"L2.source.sizes_in", Grade::must, "D13",
     "source_create reads its arguments no further than their sizes.", Needs::source, 0, "",
     sizes_in},
    {"L2.source.sizes_out", Grade::must, "D14",
     "source_create writes traits no further than their struct_size.", Needs::source, 0, "",
     sizes_out},
    {"L2.source.outputs", Grade::must, "D18",
     "A source_create that fails leaves its outputs alone.", Needs::source, 0, "",
     outputs_untouched},
};

}  // namespace

std::span<const Rule> option_rules() noexcept { return table; }

}  // namespace weir::check
