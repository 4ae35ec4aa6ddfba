// SPDX-License-Identifier: MIT
//
// Level 1: loading. What the library does to a process that opens it, its entry, its table, its
// env.
#include "cli/check/client.hpp"
#include "cli/check/fence.hpp"
#include "cli/check/process_look.hpp"
#include "cli/check/rule.hpp"
#include "core/base/duration_text.hpp"
#include "core/loader/manifest.hpp"
#include "core/loader/trust.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace weir::check {
namespace {

void opens(Subject& subject) { subject.open_library(); }

void quick(Subject& subject) {
  const auto begun = std::chrono::steady_clock::now();
  subject.load();
  const auto took = std::chrono::steady_clock::now() - begun;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  constexpr int ms_max = 200;
  note("loaded in {} ms", ms);
  expect(ms <= ms_max * slowness(), "loading took {} ms, expected at most {}: a host waits for it",
         ms, ms_max * slowness());
}

// Loads, makes an env and ends it, and hands over what the process was like before.
ProcessLook look_around_loading(Subject& subject) {
  ProcessLook before = ProcessLook::take();
  subject.load();
  const Host host;
  weir_env* env = nullptr;
  Error error;
  step("env_create");
  const weir_status status = subject.driver().env_create(host.abi(), &env, &error);
  expect(status == WEIR_OK, "env_create failed with {}: {}", kind_name(status), error.what());
  step("env_destroy");
  subject.driver().env_destroy(env);
  return before;
}

void keeps_signals(Subject& subject) {
  const ProcessLook before = look_around_loading(subject);
  const std::string changed = signals_changed(before, ProcessLook::take());
  expect(changed.empty(), "loading changed the process: {}", changed);
}
void keeps_surroundings(Subject& subject) {
  const ProcessLook before = look_around_loading(subject);
  const std::string changed = surroundings_changed(before, ProcessLook::take());
  expect(changed.empty(), "loading changed the process: {}", changed);
}
void keeps_descriptors(Subject& subject) {
  const ProcessLook before = look_around_loading(subject);
  const std::string changed = descriptors_changed_since(before);
  expect(changed.empty(), "loading changed the process: {}", changed);
}
void keeps_threads(Subject& subject) {
  const ProcessLook before = look_around_loading(subject);
  const std::size_t now = settled_thread_count(before.threads);
  expect(now <= before.threads,
         "after env_destroy there are {} threads, before loading there were {}", now,
         before.threads);
}
void is_quiet(Subject& subject) {
  look_around_loading(subject);
  struct stat about {};
  ::fstat(STDOUT_FILENO, &about);
  expect(about.st_size == 0, "loading wrote {} bytes to stdout or stderr: hand lines to host->log",
         about.st_size);
}

void enters(Subject& subject) { subject.load(); }

void versions(Subject& subject) {
  const weir_plugin_entry entry = subject.entry();
  const Host host;
  struct Case {
    int major;
    int minor;
  };
  for (const Case c : {Case{WEIR_ABI_MAJOR + 1, 0}, Case{WEIR_ABI_MAJOR - 1, 1},
                       Case{WEIR_ABI_MAJOR, WEIR_ABI_MINOR + 1}}) {
    weir_host other = *host.abi();
    other.abi_major = static_cast<std::uint16_t>(c.major);
    other.abi_minor = static_cast<std::uint16_t>(c.minor);
    Error error;
    step("weir_plugin_v1 for a host of version {}.{}", c.major, c.minor);
    const weir_driver* const answer = entry(&other, &error);
    if (c.major == WEIR_ABI_MAJOR) {
      expect(answer != nullptr, "it declines a host of version {}.{}", c.major, c.minor);
      continue;
    }
    expect(answer == nullptr, "it hands its table to a host of version {}.{}", c.major, c.minor);
    expect(error.kind == WEIR_E_UNSUPPORTED && error.text_size > 0,
           "declining version {}.{} it says {} and {} bytes of text, expected unsupported and a "
           "reason",
           c.major, c.minor, kind_name(error.kind), error.text_size);
  }
}

void enters_again(Subject& subject) {
  const weir_plugin_entry entry = subject.entry();
  const Host first;
  const Host second;
  Error error;
  const weir_driver* const table = entry(first.abi(), &error);
  expect(table != nullptr, "it declines: {}", error.what());
  const std::string bytes(reinterpret_cast<const char*>(table), table->struct_size);
  const std::string info(reinterpret_cast<const char*>(table->info), table->info->struct_size);
  constexpr int times = 100;
  for (int i = 0; i < times; ++i) {
    const weir_driver* const again = entry(i % 2 == 0 ? second.abi() : first.abi(), &error);
    expect(again == table, "call {} of weir_plugin_v1 gives another table", i + 2);
  }
  expect(std::memcmp(table, bytes.data(), bytes.size()) == 0 &&
             std::memcmp(table->info, info.data(), info.size()) == 0,
         "the table or its info changed: both are constant for the life of the process");
}

void short_host(Subject& subject) {
  const weir_plugin_entry entry = subject.entry();
  const Host host;
  for_each_size<weir_host>([&](std::uint32_t size) {
    const Fenced<weir_host> fenced(*host.abi(), size);
    step("weir_plugin_v1 with a weir_host of {} bytes", size);
    expect(entry(fenced.get(), nullptr) != nullptr, "it declines a weir_host of {} bytes", size);
    expect(fenced.is_intact(), "it wrote to the weir_host, which is constant");
  });
}

void declines_without_error(Subject& subject) {
  const weir_plugin_entry entry = subject.entry();
  weir_host other = *Host().abi();
  other.abi_major = WEIR_ABI_MAJOR + 1;
  step("declining with no weir_error");
  expect(entry(&other, nullptr) == nullptr, "it hands its table to a host of another major");
  for (const std::uint32_t capacity : {0U, 1U, 8U}) {
    const Fence room(capacity);
    weir_error error{};
    error.text = static_cast<char*>(room.object());
    error.text_capacity = capacity;
    const Fenced<weir_error> fenced(error, sizeof error);
    step("declining with room for {} bytes of text", capacity);
    expect(entry(&other, fenced.get()) == nullptr, "it hands its table to a host of another major");
    expect(fenced.is_intact() && room.is_clean_before() && fenced.value().text_size <= capacity,
           "with room for {} bytes of text it wrote outside, or says {}", capacity,
           fenced.value().text_size);
  }
}

void extension(Subject& subject) {
  for (const char* id : {"weir.nothing/1", "weir.nothing/1 ", "weir.", "", "weir.nothing/1\n"}) {
    step("extension(\"{}\")", id);
    expect(subject.driver().extension(id) == nullptr,
           "extension(\"{}\") is not NULL: ids are compared exactly", id);
  }
}

void info(Subject& subject) {
  const weir_info& about = subject.table().info();
  const std::pair<const char*, const char*> texts[] = {{"name", about.name},
                                                       {"version", about.version},
                                                       {"license", about.license},
                                                       {"placeholder", about.placeholder},
                                                       {"url_schemes", about.url_schemes}};
  for (const auto& [what, value] : texts) {
    expect(value != nullptr && *value != '\0', "info.{} is empty", what);
  }
  fact("placeholder", "{}", about.placeholder);
  fact("schemes of a URL", "{}", about.url_schemes);
}

bool is_default_of(const weir_option_spec& spec, std::string_view value) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  switch (spec.type) {
    case WEIR_OPT_INTEGER:
      if (value.starts_with('-')) value.remove_prefix(1);
      return !value.empty() && std::all_of(value.begin(), value.end(), is_digit);
    case WEIR_OPT_BOOLEAN:
      return value == "true" || value == "false";
    case WEIR_OPT_DURATION:
      return parse_duration(value).has_value();
    case WEIR_OPT_CHOICE:
      return fmt::format("|{}|", spec.choices).find(fmt::format("|{}|", value)) !=
             std::string::npos;
    default:
      return true;
  }
}

void option_specs(Subject& subject) {
  for (const weir_option_spec& spec : subject.table().options()) {
    expect(spec.doc != nullptr && *spec.doc != '\0', "the option {} has no doc", spec.key);
    if (spec.default_value == nullptr) continue;
    expect((spec.flags & WEIR_OPT_REQUIRED) == 0,
           "the option {} is required and has a default: no user ever has to give it", spec.key);
    expect(is_default_of(spec, spec.default_value),
           "the default '{}' of the option {} is none of its type", spec.default_value, spec.key);
  }
}

void manifest_tells_the_truth(Subject& subject) {
  const std::string& path = subject.job().manifest;
  if (path.empty()) skip("no manifest beside the library names it");
  const loader::File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto text = loader::read_all(file, loader::manifest_size_max);
  if (!text) skip("the manifest cannot be read");
  const auto read = loader::parse_manifest(*text, path, "");
  if (!read) skip("the manifest cannot be read: {}", read.error().message());
  const auto same = loader::compare_with_library(*read, subject.table(), subject.job().path);
  if (!same) fail_text(same.error().message());
}

void many_envs(Subject& subject) {
  const ProcessLook before = ProcessLook::take();
  const int times = subject.scaled(10'000, 1'000);
  {
    const Host host;
    for (int i = 0; i < times; ++i) {
      weir_env* env = nullptr;
      Error error;
      step("env_create, time {}", i + 1);
      const weir_status status = subject.driver().env_create(host.abi(), &env, &error);
      expect(status == WEIR_OK, "env_create failed with {} at time {}: {}", kind_name(status),
             i + 1, error.what());
      step("env_destroy, time {}", i + 1);
      subject.driver().env_destroy(env);
    }
  }
  const std::string changed = descriptors_changed_since(before);
  expect(changed.empty(), "after {} envs: {}", times, changed.substr(0, 300));
}

void short_host_env(Subject& subject) {
  const Host host;
  for_each_size<weir_host>([&](std::uint32_t size) {
    const Fenced<weir_host> fenced(*host.abi(), size);
    weir_env* env = nullptr;
    step("env_create with a weir_host of {} bytes", size);
    const weir_status status = subject.driver().env_create(fenced.get(), &env, nullptr);
    expect(fenced.is_intact(), "env_create wrote to the weir_host, which is constant");
    if (status != WEIR_OK) {
      expect(
          status == WEIR_E_UNSUPPORTED && size < sizeof(weir_host),
          "env_create with a weir_host of {} bytes failed with {}, expected unsupported for what "
          "lacks a service, and ok otherwise",
          size, kind_name(status));
      return;
    }
    step("env_destroy, the weir_host having had {} bytes", size);
    subject.driver().env_destroy(env);
  });
}

void names_missing_service(Subject& subject) {
  struct Service {
    const char* name;
    void (*remove)(weir_host&);
  };
  const Service services[] = {{"now", [](weir_host& h) { h.now = nullptr; }},
                              {"wait", [](weir_host& h) { h.wait = nullptr; }},
                              {"wake", [](weir_host& h) { h.wake = nullptr; }},
                              {"log", [](weir_host& h) { h.log = nullptr; }},
                              {"event", [](weir_host& h) { h.event = nullptr; }},
                              {"random", [](weir_host& h) { h.random = nullptr; }},
                              {"extension", [](weir_host& h) { h.extension = nullptr; }}};
  const Host host;
  for (const Service& service : services) {
    weir_host poor = *host.abi();
    service.remove(poor);
    weir_env* env = nullptr;
    Error error;
    step("env_create with a host that has no {}", service.name);
    const weir_status status = subject.driver().env_create(&poor, &env, &error);
    if (status == WEIR_OK) {
      subject.driver().env_destroy(env);
      continue;
    }
    expect(status == WEIR_E_UNSUPPORTED && error.what().find(service.name) != std::string::npos,
           "a host without {} is refused with {} ({}), expected unsupported and the service's name",
           service.name, kind_name(status), error.what());
  }
}

constexpr Rule table[] = {
    {"L1.load.opens", Grade::must, "D2",
     "The library opens with all symbols resolved, needing none of the host.", Needs::library, 0,
     "", opens, true},
    {"L1.entry.table", Grade::must, "D9",
     "Its entry hands out a table that a host accepts: sizes, required functions, capabilities.",
     Needs::library, 0, "", enters, true},
    {"L1.load.quick", Grade::should, "D3", "Loading takes no noticeable time.", Needs::library, 0,
     "", quick},
    {"L1.load.signals", Grade::must, "D22", "Loading leaves signals as they were.", Needs::library,
     0, "", keeps_signals},
    {"L1.load.surroundings", Grade::must, "D22",
     "Loading leaves locale, umask, directory, environment, limits and rounding as they were.",
     Needs::library, 0, "", keeps_surroundings},
    {"L1.load.descriptors", Grade::must, "D22", "Loading leaves no descriptor open.",
     Needs::library, 0, "", keeps_descriptors},
    {"L1.load.threads", Grade::must, "D22", "No thread is left after env_destroy.", Needs::library,
     0, "", keeps_threads},
    {"L1.load.output", Grade::must, "D22", "Loading writes nothing to stdout or stderr.",
     Needs::library, 0, "", is_quiet},
    {"L1.entry.versions", Grade::must, "D4",
     "The entry declines a host of another major and says why; the minor does not matter.",
     Needs::library, 0, "", versions},
    {"L1.entry.again", Grade::must, "D8",
     "The entry hands out the same constant table to every host, every time.", Needs::library, 0,
     "", enters_again},
    {"L1.entry.short_host", Grade::must, "D13",
     "The entry reads a weir_host no further than its struct_size.", Needs::library, 0, "",
     short_host},
    {"L1.entry.error", Grade::must, "D18",
     "The entry declines without a weir_error, or with little room for text, as well.",
     Needs::library, 0, "", declines_without_error},
    {"L1.table.extension", Grade::must, "D10", "extension() compares ids exactly.", Needs::table, 0,
     "", extension},
    {"L1.table.info", Grade::must, "D11", "info says name, version, licence, placeholder, schemes.",
     Needs::table, 0, "", info},
    {"L1.table.options", Grade::must, "D12",
     "Each option is explained, and its default is one of its type.", Needs::table, 0, "",
     option_specs},
    {"L1.manifest.truth", Grade::must, "D7",
     "Name, version and capabilities in the manifest are the library's.", Needs::table, 0, "",
     manifest_tells_the_truth},
    {"L1.env.many", Grade::must, "D22", "Envs come and go and leave nothing.", Needs::table, 0, "",
     many_envs},
    {"L1.env.short_host", Grade::must, "D13",
     "env_create reads a weir_host no further than its struct_size.", Needs::table, 0, "",
     short_host_env},
    {"L1.env.services", Grade::must, "D20",
     "A host without a service is refused by the service's name, or served all the same.",
     Needs::table, 0, "", names_missing_service},
};

}  // namespace

std::span<const Rule> load_rules() noexcept { return table; }

}  // namespace weir::check
