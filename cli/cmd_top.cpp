// SPDX-License-Identifier: MIT
//
// weir top: what the pools of a running program do, again and again. On a terminal one screen,
// redrawn in place; elsewhere a line, or an object, per pool and tick.
#include "cli/admin_client.hpp"
#include "cli/command.hpp"
#include "cli/top_view.hpp"

#include <atomic>
#include <chrono>
#include <ctime>
#include <mutex>
#include <poll.h>
#include <sys/ioctl.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

namespace weir::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::string time_of_day() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  return fmt::format("{:02}:{:02}:{:02}", parts.tm_hour, parts.tm_min, parts.tm_sec);
}

// The terminal's other screen, with the cursor hidden. Lives while the command draws; what was
// there before is back afterwards, and while the process is stopped. In the background nothing is
// drawn: the terminal is somebody else's then.
class Screen final : public Interrupt::Drawer {
 public:
  Screen(Output& out, Interrupt& interrupt) : out_(out), interrupt_(interrupt) {
    interrupt_.tell(this);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() {
    interrupt_.tell(nullptr);
    // Not through Output, which throws, and perhaps has. If the terminal is gone nobody is there
    // to see it.
    if (shown_) static_cast<void>(!::write(STDOUT_FILENO, restore.data(), restore.size()));
  }

  // Over what was there, in one piece, so that nothing flickers. Throws: OutputClosed.
  void draw(const std::vector<Line>& lines) {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
      size.ws_col = 80;
      size.ws_row = 24;
    }
    // The last column stays free: a cursor that waits behind it would have its own letter cleared.
    const std::size_t width = size.ws_col - 1U;
    std::string text = "\x1b[H";
    for (std::size_t i = 0; i < lines.size() && i < size.ws_row; ++i) {
      text += (i == 0 ? "" : "\r\n") + rendered(lines[i], out_, width) + "\x1b[K";
    }
    const std::lock_guard lock(mutex_);
    last_ = std::move(text) + "\x1b[J";
    if (!in_foreground()) return;
    const bool taken = shown_.exchange(true);
    out_.data(taken ? last_ : std::string(take) + last_);
    out_.flush();
  }

  void leave() noexcept override {
    // In vain only if the terminal takes nothing (Ctrl-S), and then it would not take this either.
    // Asked again and again: that a timed_mutex is locked until a time of the steady clock, GCC
    // 12's ThreadSanitizer does not see.
    constexpr int tries = 200;
    stopped_ = std::unique_lock(mutex_, std::defer_lock);
    for (int i = 0; i < tries && !stopped_.try_lock(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    was_shown_ = stopped_.owns_lock() && shown_.exchange(false);
    if (was_shown_) put(restore);
  }
  void come_back() noexcept override {
    if (was_shown_ && in_foreground()) {
      shown_ = true;
      put(take);
      put(last_);
    }
    stopped_ = {};
  }
  void give_up() noexcept override {
    if (shown_) put(restore);
  }

 private:
  static constexpr std::string_view take = "\x1b[?1049h\x1b[?25l";
  static constexpr std::string_view restore = "\x1b[?25h\x1b[?1049l";

  // Nothing, where it would have to be waited for.
  static void put(std::string_view text) noexcept {
    pollfd terminal{STDOUT_FILENO, POLLOUT, 0};
    if (::poll(&terminal, 1, 0) <= 0) return;
    static_cast<void>(!::write(STDOUT_FILENO, text.data(), text.size()));
  }
  // Also of a terminal that has no foreground for this process, which is not the one it was
  // started from.
  static bool in_foreground() noexcept {
    const pid_t group = tcgetpgrp(STDOUT_FILENO);
    return group < 0 || group == getpgrp();
  }

  Output& out_;
  Interrupt& interrupt_;
  std::mutex mutex_;                // held while the terminal is written to, and while stopped
  std::string last_;                // frame; guarded by mutex_
  std::atomic<bool> shown_{false};  // the other screen is; written under mutex_
  // The interrupt's thread only.
  std::unique_lock<std::mutex> stopped_;
  bool was_shown_ = false;
};

// What was seen last and when, and what is made of it with what is seen now.
class Watch {
 public:
  Watch(AdminClient& client, std::string pool) : client_(client), pool_(std::move(pool)) {}

  Result<std::vector<PoolTick>> tick() {
    auto now = take_snapshot(client_);
    if (now) {
      if (auto kept = keep_pool(*now, pool_); !kept) now = tl::unexpected(kept.error());
    }
    if (!now) {
      before_.reset();
      return tl::unexpected(now.error());
    }
    const auto at = Clock::now();
    auto ticks = ticks_between(before_ ? &*before_ : nullptr, *now, at - at_);
    before_ = std::move(*now);
    at_ = at;
    return ticks;
  }

 private:
  AdminClient& client_;
  std::string pool_;
  std::optional<Snapshot> before_;
  Clock::time_point at_{};
};

// Calls `tick` at once and then once per interval, `count` times (0: without end) or until it
// returns false or a signal comes. A tick that takes long delays the next one; none is made up for.
template <class Tick>
void each_interval(const StopEvent& stop, Duration interval, std::uint64_t count, Tick tick) {
  auto due = Clock::now();
  for (std::uint64_t done = 0; tick();) {
    if (++done == count) return;
    due = std::max(due + interval, Clock::now());
    if (stop.wait(due - Clock::now())) return;
  }
}

struct Settings {
  Duration interval{};
  std::uint64_t count = 0;
};

// A program that has ended may be started again: the terminal waits for it.
int draw_ticks(Context& context, AdminClient& client, const StopEvent& stop, Settings settings) {
  Watch watch(client, context.text("POOL"));
  auto ticks = watch.tick();
  if (!ticks) return context.fail(ticks.error());  // before the screen is taken, which hides it
  Screen screen(context.out, context.interrupt);
  bool first = true;
  each_interval(stop, settings.interval, settings.count, [&] {
    if (!std::exchange(first, false)) ticks = watch.tick();
    if (context.interrupt.raised()) return false;
    const Heading heading{client.pid(), client.place().path, settings.interval, time_of_day()};
    screen.draw(ticks ? frame(heading, *ticks, context.out.utf8())
                      : frame_without_answer(heading, ticks.error()));
    return true;
  });
  return exit_ok;
}

// A reader of lines is better told by an end than by silence.
int print_ticks(Context& context, AdminClient& client, const StopEvent& stop, Settings settings) {
  Watch watch(client, context.text("POOL"));
  int code = exit_ok;
  each_interval(stop, settings.interval, settings.count, [&] {
    const auto ticks = watch.tick();
    if (!ticks) {
      code = context.fail(ticks.error());
      return false;
    }
    const std::string time = time_of_day();
    for (const PoolTick& tick : *ticks) {
      if (context.global.json) {
        context.json(tick_json(time, tick));
      } else {
        context.out.data(tick_text(time, tick) + "\n");
      }
    }
    context.out.flush();
    return true;
  });
  return code;
}

}  // namespace

int run_top(Context& context) {
  context.out.end_with_reader();
  auto interval = duration(context, "--interval", std::chrono::seconds(1));
  if (!interval) return context.usage_error(interval.error().message());
  auto count = whole_number(context, "--count", 0, 1, 1'000'000'000);
  if (!count) return context.usage_error(count.error().message());
  auto place = admin_place(context);
  if (!place) return refuse_place(context, place.error());
  const StopEvent stop(context.interrupt);
  AdminClient client(*place, stop);
  const bool screen = context.out.draws() && !context.global.json;
  const Settings settings{std::min(*interval, longest_wait), *count};
  return screen ? draw_ticks(context, client, stop, settings)
                : print_ticks(context, client, stop, settings);
}

}  // namespace weir::cli
