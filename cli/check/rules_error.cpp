// SPDX-License-Identifier: MIT
//
// Level 2: errors and cancellers, and what open() refuses before it looks for a server.
#include "cli/check/client.hpp"
#include "cli/check/fence.hpp"
#include "cli/check/process_look.hpp"
#include "cli/check/rule.hpp"

namespace weir::check {
namespace {

// Makes source_create fail, with the caller's error.
class Failure {
 public:
  explicit Failure(const Subject& subject) : driver_(subject.driver()) {
    Error error;
    const weir_status status = driver_.env_create(host_.abi(), &env_, &error);
    expect(status == WEIR_OK, "env_create failed with {}: {}", kind_name(status), error.what());
    args_.struct_size = sizeof args_;
    args_.url = text(subject.job().url);
    args_.options = &wrong_;
    args_.option_count = 1;
  }
  ~Failure() { driver_.env_destroy(env_); }
  Failure(const Failure&) = delete;
  Failure& operator=(const Failure&) = delete;

  weir_status operator()(weir_error* error) {
    weir_source* made = nullptr;
    const weir_status status = driver_.source_create(env_, &args_, &made, nullptr, error);
    if (status == WEIR_OK) skip("it takes an unknown option: there is no failure to look at");
    return status;
  }

 private:
  const weir_driver& driver_;
  Host host_;
  weir_env* env_ = nullptr;
  const weir_option wrong_{text("no_such_key_with_a_long_name"), text("1")};
  weir_source_args args_{};
};

void absent(Subject& subject) {
  Failure failure(subject);
  step("a failure with no weir_error");
  failure(nullptr);
  weir_error error{};
  error.struct_size = sizeof error;
  step("a failure with a weir_error that has no text buffer");
  const weir_status status = failure(&error);
  expect(error.kind == status && error.text_size == 0,
         "without a text buffer the error says {} and {} bytes of text, expected {} and none",
         kind_name(error.kind), error.text_size, kind_name(status));
}

void text_buffer(Subject& subject) {
  Failure failure(subject);
  for (const std::uint32_t capacity : {0U, 1U, 7U, 8U, 300U}) {
    const Fence room(capacity);
    weir_error error{};
    error.text = static_cast<char*>(room.object());
    error.text_capacity = capacity;
    const Fenced<weir_error> fenced(error, sizeof error);
    step("a failure with room for {} bytes of text", capacity);
    failure(fenced.get());
    expect(room.is_clean_before() && fenced.is_intact(),
           "with room for {} bytes of text, it wrote outside", capacity);
    expect(fenced.value().text_size <= capacity, "with room for {} bytes of text, text_size is {}",
           capacity, fenced.value().text_size);
  }
}

void truncated(Subject& subject) {
  Failure failure(subject);
  Error whole;
  failure(&whole);
  expect((whole.flags & WEIR_ERROR_TRUNCATED) == 0 || whole.text_size > 900,
         "a text of {} bytes that fits is marked as truncated", whole.text_size);
  expect(whole.text_size > 8, "the error has {} bytes of text, expected a sentence",
         whole.text_size);
  for (const std::uint32_t capacity : {0U, 1U, 8U}) {
    Error cut;
    cut.text_capacity = capacity;
    failure(&cut);
    expect((cut.flags & WEIR_ERROR_TRUNCATED) != 0,
           "a text of {} bytes, cut to {}, is not marked by WEIR_ERROR_TRUNCATED", whole.text_size,
           capacity);
  }
}

void error_sizes(Subject& subject) {
  Failure failure(subject);
  for_each_size<weir_error>([&](std::uint32_t size) {
    const Fence room(16);
    weir_error error{};
    error.text = static_cast<char*>(room.object());
    error.text_capacity = 16;
    const Fenced<weir_error> fenced(error, size);
    step("a failure with a weir_error of {} bytes", size);
    const weir_status status = failure(fenced.get());
    expect(fenced.is_intact() && room.is_clean_before(),
           "with a weir_error of {} bytes, it wrote outside", size);
    expect(fenced.value().kind == status, "in a weir_error of {} bytes the kind is {}, expected {}",
           size, kind_name(fenced.value().kind), kind_name(status));
  });
}

void canceller_alone(Subject& subject) {
  Scene scene(subject);
  {
    const Session never(scene.source, 12);
    step("cancel and abort of a conn that does not exist");
    const weir_call call{sizeof call, 0, 1, WEIR_NO_DEADLINE};
    scene.driver.cancel(never.canceller, 1, &call, nullptr);
    scene.driver.abort(never.canceller);
    scene.driver.abort(never.canceller);
  }
  for (std::uint64_t tag = 100; tag < 200; ++tag) {
    step("canceller_release of a conn that never was");
    const Session unused(scene.source, tag);
  }
}

void opens_after_abort(Subject& subject) {
  Scene scene(subject);
  scene.driver.abort(scene.session.canceller);
  scene.session.open();
  scene.session.must(WEIR_E_CANCELLED, "an open that starts after abort");
  expect(scene.session.conn == nullptr, "an open that failed wrote to *conn all the same");
}

void opens_too_late(Subject& subject) {
  Scene scene(subject);
  const ProcessLook before = ProcessLook::take();
  scene.host.forget_counts();
  scene.session.deadline = scene.host.now() - 1;
  scene.session.open();
  scene.session.must(WEIR_E_TIMEOUT, "an open whose deadline has passed");
  expect(scene.session.conn == nullptr, "an open that failed wrote to *conn all the same");
  expect(scene.session.error.effect == WEIR_EFFECT_NOT_SENT,
         "an open whose deadline has passed says effect {}, expected {} (not sent)",
         scene.session.error.effect, WEIR_EFFECT_NOT_SENT);
  expect(scene.host.waits() == 0, "an open whose deadline has passed waited all the same");
  const std::string changed = descriptors_changed_since(before);
  expect(changed.empty(), "after an open whose deadline had passed {}", changed);
}

void open_must_understand(Subject& subject) {
  Scene scene(subject);
  Session& session = scene.session;
  weir_open_args args{};
  args.struct_size = sizeof args;
  args.conn_tag = session.tag;
  weir_call call = session.call();
  call.must_understand = 1U << 17;
  step("open with an unknown must_understand bit in weir_call");
  session.status = scene.driver.open(scene.source.handle, &call, &args, session.canceller,
                                     &session.conn, nullptr);
  session.must(WEIR_E_UNSUPPORTED, "an open with an unknown must_understand bit in weir_call");
  Session other(scene.source, 2);
  args.conn_tag = 2;
  args.must_understand = 1U << 17;
  const weir_call plain = other.call();
  step("open with an unknown must_understand bit in weir_open_args");
  other.status =
      scene.driver.open(scene.source.handle, &plain, &args, other.canceller, &other.conn, nullptr);
  other.must(WEIR_E_UNSUPPORTED, "an open with an unknown must_understand bit in weir_open_args");
}

constexpr Rule table[] = {
    {"L2.error.absent", Grade::must, "D18", "There may be no weir_error, or none with a buffer.",
     Needs::source, 0, "", absent},
    {"L2.error.text", Grade::must, "D18",
     "An error's text is written no further than text_capacity.", Needs::source, 0, "",
     text_buffer},
    {"L2.error.truncated", Grade::must, "D18",
     "A text that was cut is marked, and one that fits is not.", Needs::source, 0, "", truncated},
    {"L2.error.sizes", Grade::must, "D18",
     "A weir_error is written no further than its struct_size.", Needs::source, 0, "", error_sizes},
    {"L2.canceller.alone", Grade::must, "D32",
     "A canceller whose conn never came can be used and released.", Needs::source, WEIR_CAP_ABORT,
     "", canceller_alone},
    {"L2.open.aborted", Grade::must, "D23", "An open that starts after abort fails with cancelled.",
     Needs::source, WEIR_CAP_ABORT, "", opens_after_abort},
    {"L2.open.too_late", Grade::must, "D30",
     "An open whose deadline has passed is a timeout before any work.", Needs::source, 0, "",
     opens_too_late},
    {"L2.open.must_understand", Grade::must, "D15",
     "open refuses must_understand bits that it does not know.", Needs::source, 0, "",
     open_must_understand},
};

}  // namespace

std::span<const Rule> error_rules() noexcept { return table; }

}  // namespace weir::check
