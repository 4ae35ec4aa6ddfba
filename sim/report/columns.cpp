// SPDX-License-Identifier: MIT
#include "sim/report/columns.hpp"

#include "core/observe/texts.hpp"
#include "sim/report/text.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace weir::sim {
namespace {

using observe::short_duration;
using Kind = Row::Kind;

// Who holds which mutex, as far as the steps tell. A step is told before it happens, so it takes
// effect with the thread's next one.
class Locks {
 public:
  // The thread makes a step of its own.
  void step(const Step& s) {
    settle(s.thread);
    if (s.op == Op::lock || s.op == Op::unlock || s.op == Op::wait) pending_[s.thread] = s;
  }
  // 0: nobody, or not known.
  [[nodiscard]] ThreadId holder(ObjectId object) const {
    const auto it = owners_.find(object);
    return it == owners_.end() ? 0 : it->second;
  }
  // It has left the processor in the middle of `s`: a wait has given the mutex back by then.
  void leaves(const Step& s) {
    auto& held = held_[s.thread];
    if (s.op != Op::wait || held.empty()) return;
    again_[s.thread] = held.back();
    drop(s.thread, held.back());
  }

 private:
  void settle(ThreadId thread) {
    if (const auto again = again_.find(thread); again != again_.end()) {
      take(thread, again->second);
      again_.erase(again);
    }
    const auto it = pending_.find(thread);
    if (it == pending_.end()) return;
    const Step s = it->second;
    pending_.erase(it);
    if (s.op == Op::lock) take(thread, s.object);
    if (s.op == Op::unlock) drop(thread, s.object);
  }
  void take(ThreadId thread, ObjectId object) {
    owners_[object] = thread;
    held_[thread].push_back(object);
  }
  void drop(ThreadId thread, ObjectId object) {
    auto& held = held_[thread];
    held.erase(std::remove(held.begin(), held.end(), object), held.end());
    if (holder(object) == thread) owners_.erase(object);
  }

  std::map<ObjectId, ThreadId> owners_;
  std::map<ThreadId, std::vector<ObjectId>> held_;
  std::map<ThreadId, Step> pending_;
  std::map<ThreadId, ObjectId> again_;  // what a wait takes again
};

class Teller {
 public:
  Teller(const Report& report, std::size_t rows_kept) : report_(report), rows_kept_(rows_kept) {
    for (const Deviation& d : report.deviations) {
      deviations_[{d.thread, d.ordinal}].push_back(d);
    }
  }

  std::vector<Row> tell() {
    Instant before = World::beginning;
    for (const Step& s : report_.trace) {
      if (s.op == Op::advance) {
        advance(s, before);
      } else if (s.op == Op::timeout) {
        befalls(s, "its time has come");
      } else if (s.op == Op::wake) {
        wake(s);
      } else {
        own(s);
      }
      before = s.at;
    }
    flush(nullptr);
    return std::move(rows_);
  }
  [[nodiscard]] std::uint64_t forgotten() const noexcept { return forgotten_; }

 private:
  std::string name(ThreadId thread) const { return thread_name(report_, thread); }

  // The schedule's choice at the running thread's last step, if it is no default. There may be
  // several of one question: first the clock, then a thread.
  const Deviation* chosen(Question question, const Step& at, bool clock = false) const {
    const auto it = deviations_.find({at.thread, at.ordinal});
    if (it == deviations_.end()) return nullptr;
    for (const Deviation& d : it->second) {
      if (d.question == question && (d.choice == the_clock) == clock) return &d;
    }
    return nullptr;
  }

  // A trace may be long, and only its end is shown. Half of the bound at a time, so that it costs
  // little.
  void push(Row row) {
    rows_.push_back(std::move(row));
    if (rows_.size() < 2 * rows_kept_) return;
    const auto end = rows_.end() - static_cast<std::ptrdiff_t>(rows_kept_);
    forgotten_ += static_cast<std::uint64_t>(
        std::count_if(rows_.begin(), end, [](const Row& r) { return r.kind == Kind::step; }));
    rows_.erase(rows_.begin(), end);
  }

  void own(const Step& s) {
    if (runs_ && last_.thread != s.thread) {
      turn(s);
    } else {
      flush(nullptr);
    }
    locks_.step(s);
    push({Kind::step, s.thread, s.at, text_of(s), chosen(Question::spurious, s) != nullptr});
    last_ = s;
    runs_ = true;
  }

  // What the running thread does to another is told at once; what the clock does comes after the
  // line that says why nobody ran.
  void wake(const Step& s) {
    const bool by_running = runs_ && s.value == last_.thread;
    const Deviation* d = by_running ? chosen(Question::notify, last_) : nullptr;
    const bool out_of_turn = d != nullptr && d->choice == s.thread;
    std::string text = "woken";
    if (s.value != 0) text += " by " + name(static_cast<ThreadId>(s.value));
    if (out_of_turn) text += ", out of turn";
    if (by_running && held_back_.empty()) {
      push({Kind::step, s.thread, s.at, std::move(text), out_of_turn});
    } else {
      held_back_.push_back({Kind::step, s.thread, s.at, std::move(text), out_of_turn});
    }
  }
  void befalls(const Step& s, std::string text) {
    held_back_.push_back({Kind::step, s.thread, s.at, std::move(text), false});
  }

  void advance(const Step& s, Instant before) {
    const bool early =
        runs_ && (chosen(Question::preempt, last_, true) || chosen(Question::next, last_, true));
    std::string text = "clock steps: +" + short_duration(s.at - before);
    if (early) text += ", although somebody could run";
    held_back_.push_back({Kind::clock, the_clock, s.at, std::move(text), early});
  }
  void turn(const Step& next) {
    Row row{Kind::turn, last_.thread, last_.at, {}, false};
    std::string why = reason(row.forced);
    row.text = name(last_.thread) + " " + why + ": " + name(next.thread) + " goes on";
    if (const Deviation* d = chosen(Question::next, last_);
        d != nullptr && d->choice != the_clock) {
      row.text += ", out of turn [" + to_string(*d) + "]";
      row.forced = true;
    }
    flush(&row);
    locks_.leaves(last_);
  }

  std::string reason(bool& forced) const {
    const Deviation* d = chosen(Question::preempt, last_);
    if (d != nullptr) {
      forced = true;
      return "is preempted here [" + to_string(*d) + "]";
    }
    const std::string object = std::to_string(last_.object);
    switch (last_.op) {
      case Op::end:
        return "has ended";
      case Op::lock: {
        const ThreadId holder = locks_.holder(last_.object);
        if (holder == 0 || holder == last_.thread) return "blocks in lock of object " + object;
        return "blocks in lock of object " + object + ", held by " + name(holder);
      }
      case Op::wait:
        return "waits for object " + object;
      case Op::join:
        return "waits for the end of " + name(last_.object);
      case Op::sleep:
        return "sleeps";
      default:
        return "leaves the processor";
    }
  }

  // The line about the turn, then what happened while nobody ran.
  void flush(const Row* turn) {
    if (turn != nullptr) push(*turn);
    for (Row& row : held_back_) push(std::move(row));
    held_back_.clear();
  }

  std::string text_of(const Step& s) const {
    std::string text(to_string(s.op));
    if (s.op == Op::join) {
      text += " " + name(s.object);
    } else if (s.op == Op::note) {
      text += " " + std::to_string(s.value);
    } else if (s.object != 0) {
      text += " " + std::to_string(s.object);
    }
    if (chosen(Question::spurious, s) != nullptr) {
      text += s.op == Op::wait ? " ends spuriously" : " fails spuriously";
    }
    return text;
  }

  const Report& report_;
  std::size_t rows_kept_;
  std::map<std::pair<ThreadId, std::uint32_t>, std::vector<Deviation>> deviations_;
  Locks locks_;
  std::vector<Row> rows_;
  std::vector<Row> held_back_;
  Step last_{};  // of the running thread
  bool runs_ = false;
  std::uint64_t forgotten_ = 0;
};

bool same(const Row& a, const Row& b) {
  return a.kind == b.kind && a.thread == b.thread && a.text == b.text;
}

// How often the `period` rows at `from` come one after the other.
std::size_t times_at(const std::vector<Row>& rows, std::size_t from, std::size_t period) {
  std::size_t times = 1;
  for (std::size_t at = from + period; at + period <= rows.size(); at += period, ++times) {
    for (std::size_t i = 0; i < period; ++i) {
      if (!same(rows[from + i], rows[at + i])) return times;
    }
  }
  return times;
}

// Loops blow a trace up. The same rows again and again are shown once; two lines for two short
// ones are no gain, so a repeat has to save at least two.
std::vector<Row> fold(std::vector<Row> rows) {
  constexpr std::size_t longest_period = 24;
  std::vector<Row> out;
  for (std::size_t i = 0; i < rows.size();) {
    std::size_t period = 1;
    std::size_t times = 1;
    for (std::size_t p = 1; p <= longest_period && i + 2 * p <= rows.size(); ++p) {
      const std::size_t t = times_at(rows, i, p);
      if (p * (t - 1) >= 3) {
        period = p;
        times = t;
        break;
      }
    }
    const std::size_t end = i + period * times;
    const Row last = rows[end - 1];
    for (std::size_t k = 0; k < period; ++k) out.push_back(std::move(rows[i + k]));
    if (times > 1) {
      const std::string what =
          period == 1 ? "the line above" : fmt::format("the {} lines above", period);
      out.push_back({Kind::repeats, last.thread, last.at,
                     fmt::format("{}, {} times more", what, times - 1), false});
    }
    i = end;
  }
  return out;
}

// ---------------------------------------------------------------- as text

std::string cut(std::string_view text, std::size_t width) {
  if (text.size() <= width) return std::string(text);
  if (width < 3) return std::string(text.substr(0, width));
  // Not in the middle of a UTF-8 letter.
  std::size_t end = width - 2;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "..";
}

class Page {
 public:
  Page(const Report& report, const Columns& columns, std::size_t width)
      : report_(report), columns_(columns), width_(std::max<std::size_t>(width, 40)) {
    const std::size_t room = width_ - time_width;
    fit_ = std::clamp<std::size_t>(room / narrowest, 1,
                                   std::max<std::size_t>(columns.threads.size(), 1));
    column_ = std::min(room / fit_, widest);
  }

  std::string text() const {
    std::string out;
    if (columns_.left_out > 0) {
      out += fmt::format("({} steps before this are not shown)\n", grouped(columns_.left_out));
    }
    out += header();
    Instant before = no_deadline;
    for (const Row& row : columns_.rows) {
      const bool same_time = row.at == before;
      before = row.at;
      out += row.kind == Kind::failure ? "\n" + wrapped(row.text, 0, width_) : line(row, same_time);
    }
    return out;
  }

 private:
  static constexpr std::size_t time_width = 13;
  static constexpr std::size_t narrowest = 16;
  static constexpr std::size_t widest = 28;

  // Threads that have no column share the last one, with their names in it.
  [[nodiscard]] std::size_t column_of(ThreadId thread) const {
    const auto it = std::find(columns_.threads.begin(), columns_.threads.end(), thread);
    const auto index = static_cast<std::size_t>(it - columns_.threads.begin());
    return std::min(index, fit_ - 1);
  }
  [[nodiscard]] bool shared(std::size_t column) const {
    return column + 1 == fit_ && columns_.threads.size() > fit_;
  }

  std::string header() const {
    std::string out = fmt::format("{:<{}}", "time", time_width);
    for (std::size_t i = 0; i < fit_ && i < columns_.threads.size(); ++i) {
      const std::string name = shared(i) ? "others" : thread_name(report_, columns_.threads[i]);
      out += fmt::format("{:<{}}", cut(name, column_ - 1), column_);
    }
    return trimmed(std::move(out));
  }

  std::string line(const Row& row, bool same_time) const {
    const std::string time = same_time ? "" : clock_text(row.at);
    std::string out = fmt::format("{:<{}}", time, time_width);
    if (row.kind == Kind::step) {
      const std::size_t column = column_of(row.thread);
      std::string text = row.text;
      if (shared(column)) text = thread_name(report_, row.thread) + ": " + text;
      if (row.forced) text = "! " + text;
      // It may run on to the right, where the line is empty.
      const std::size_t left = time_width + column * column_;
      out += std::string(column * column_, ' ') + cut(text, width_ - left);
      return trimmed(std::move(out));
    }
    const std::string_view mark = row.kind == Kind::repeats ? "   : " : row.forced ? ">> " : "-- ";
    return trimmed(told(out + std::string(mark), row.text));
  }

  // A reason is worth a second line: who goes on stands at its end.
  std::string told(const std::string& start, std::string_view text) const {
    const std::size_t indent = start.size();
    std::string lines = wrapped(text, indent, width_);
    lines.replace(0, indent, start);
    std::string out;
    for (std::size_t at = 0; at < lines.size();) {
      const std::size_t end = lines.find('\n', at);
      out += (out.empty() ? "" : "\n") + cut(std::string_view(lines).substr(at, end - at), width_);
      at = end + 1;
    }
    return out;
  }

  // "0.001234567": all digits, because the order of close ones is what matters.
  static std::string clock_text(Instant at) {
    const std::int64_t ns = since_beginning(at).count();
    const std::int64_t size = std::abs(ns);  // before the beginning tables are made
    return fmt::format("{}{}.{:09}", ns < 0 ? "-" : "", size / 1'000'000'000, size % 1'000'000'000);
  }
  static std::string trimmed(std::string text) {
    while (!text.empty() && text.back() == ' ') text.pop_back();
    return text + "\n";
  }

  const Report& report_;
  const Columns& columns_;
  std::size_t width_;
  std::size_t fit_;     // columns
  std::size_t column_;  // their width
};

}  // namespace

Columns columns_of(const Report& report, std::size_t rows_max) {
  Columns out;
  // Folding makes it shorter, so more has to be kept than is shown.
  const std::size_t kept = std::max<std::size_t>(rows_max * 64, 1024);
  Teller teller(report, kept);
  out.rows = fold(teller.tell());
  out.left_out = teller.forgotten();
  if (out.rows.size() > rows_max) {
    const auto end = out.rows.end() - static_cast<std::ptrdiff_t>(rows_max);
    out.left_out += static_cast<std::uint64_t>(std::count_if(
        out.rows.begin(), end, [](const Row& row) { return row.kind == Kind::step; }));
    out.rows.erase(out.rows.begin(), end);
  }
  std::set<ThreadId> threads;
  for (const Row& row : out.rows) {
    if (row.kind == Kind::step || row.kind == Kind::turn) threads.insert(row.thread);
  }
  out.threads.assign(threads.begin(), threads.end());
  if (!report.ok() && !report.trace.empty()) {
    out.rows.push_back({Kind::failure, the_clock, report.ending.at, headline(report), true});
  }
  return out;
}

std::string to_columns(const Report& report, const ColumnsOptions& options) {
  if (report.trace.empty()) return "";
  const Columns columns = columns_of(report, options.rows_max);
  return Page(report, columns, options.width).text();
}

}  // namespace weir::sim
