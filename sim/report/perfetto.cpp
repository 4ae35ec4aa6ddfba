// SPDX-License-Identifier: MIT
#include "sim/report/perfetto.hpp"

#include "sim/report/json.hpp"

#include <weir/error.hpp>

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace weir::sim {
namespace {

enum Process : int { clients = 1, connections, server, faults };

std::string micros(Duration since) {
  const std::int64_t ns = std::max<std::int64_t>(since.count(), 0);
  return fmt::format("{}.{:03}", ns / 1000, ns % 1000);
}
std::string micros(Instant at) { return micros(since_beginning(at)); }

class Trace {
 public:
  void metadata(std::string_view what, Process pid, ThreadId tid, std::string_view name) {
    event(fmt::format(R"("ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":{}}})", what,
                      static_cast<int>(pid), tid, json_string(name)));
  }
  // An asynchronous slice, between begin() and end(); those inside it have the same category and id
  // and come between the two. `args`: members of an object, already JSON; may be empty.
  struct Slice {
    Process pid;
    ThreadId tid;
    std::string_view category;
    std::string_view name;
    std::uint64_t id;
  };
  void begin(const Slice& slice, const std::string& at, std::string_view args = {}) {
    event(fmt::format(R"("ph":"b",{},"ts":{},"args":{{{}}})", text_of(slice), at, args));
  }
  void end(const Slice& slice, const std::string& at) {
    event(fmt::format(R"("ph":"e",{},"ts":{})", text_of(slice), at));
  }
  void counter(Process pid, std::string_view name, const std::string& at, std::string_view args) {
    event(fmt::format(R"("ph":"C","name":"{}","pid":{},"ts":{},"args":{{{}}})", name,
                      static_cast<int>(pid), at, args));
  }
  // scope: "t" of a thread, "p" of a process, "g" across the whole picture.
  void instant(Process pid, ThreadId tid, char scope, std::string_view name, const std::string& at,
               std::string_view args = {}) {
    event(fmt::format(R"("ph":"i","s":"{}","name":{},"pid":{},"tid":{},"ts":{},"args":{{{}}})",
                      scope, json_string(name), static_cast<int>(pid), tid, at, args));
  }
  // `other`: members of otherData.
  std::string finish(std::string_view other) && {
    return "{\"displayTimeUnit\":\"ms\",\"otherData\":{" + std::string(other) +
           "},\n\"traceEvents\":[\n" + std::move(out_) + "\n]}\n";
  }

 private:
  static std::string text_of(const Slice& s) {
    return fmt::format(R"("cat":"{}","name":{},"id":"0x{:x}","pid":{},"tid":{})", s.category,
                       json_string(s.name), s.id, static_cast<int>(s.pid), s.tid);
  }
  void event(std::string_view members) {
    if (!out_.empty()) out_ += ",\n";
    out_ += '{';
    out_ += members;
    out_ += '}';
  }
  std::string out_;
};

bool well(const Round& round) { return round.result == Code{}; }

// Which rounds are shown: all, or evenly chosen ones and as many failures as there is room for.
std::vector<const Round*> chosen(const Report& report, std::size_t most) {
  std::vector<const Round*> failed;
  std::vector<const Round*> good;
  for (const Round& round : report.history) (well(round) ? good : failed).push_back(&round);
  const auto thin = [](std::vector<const Round*>& from, std::size_t to) {
    if (from.size() <= to) return;
    std::vector<const Round*> kept;
    for (std::size_t i = 0; i < to; ++i) kept.push_back(from[i * from.size() / to]);
    from = std::move(kept);
  };
  // A run in which everything fails should not show nothing else.
  const std::size_t good_share = std::min(good.size(), most / 4);
  thin(failed, most - std::min(good_share, most));
  thin(good, most - failed.size());
  good.insert(good.end(), failed.begin(), failed.end());
  std::stable_sort(good.begin(), good.end(),
                   [](const Round* a, const Round* b) { return a->due < b->due; });
  return good;
}

class Writer {
 public:
  Writer(const Case& shown, const PerfettoOptions& options)
      : case_(shown), report_(shown.report), options_(options) {}

  std::string write() {
    name_processes();
    rounds();
    counts();
    fault_bands();
    actions();
    ending();
    return std::move(trace_).finish(other());
  }

 private:
  void name_processes() {
    trace_.metadata("process_name", clients, 0, "clients");
    trace_.metadata("process_name", connections, 0, "connections");
    trace_.metadata("process_name", server, 0, "server");
    trace_.metadata("process_name", faults, 0, "faults");
  }

  void rounds() {
    const auto shown = chosen(report_, options_.rounds_max);
    left_out_ = report_.history.size() - shown.size();
    std::set<ThreadId> named;
    for (const Round* round : shown) {
      if (named.insert(round->thread).second) {
        trace_.metadata("thread_name", clients, round->thread, thread_name(report_, round->thread));
      }
      one(*round);
    }
    if (left_out_ == 0) return;
    trace_.instant(clients, 0, 'g', left_out_text(), micros(Duration{}));
  }
  std::string left_out_text() const {
    return fmt::format("{} of {} rounds are not shown", grouped(left_out_),
                       grouped(report_.history.size()));
  }

  // A round, and in it the wait for its lease and the time with it: with one id they are drawn
  // inside each other. The lease is shown once more with its connection.
  void one(const Round& r) {
    const std::uint64_t id = ++last_id_;
    const bool lent = r.lent != no_deadline;
    const Instant done = r.done == no_deadline ? std::max(r.asked, report_.ending.at) : r.done;
    const std::string result =
        well(r) ? R"("result":"ok")"
                : fmt::format(R"("result":{})", json_string(std::string(info(r.result).id) + " " +
                                                            std::string(info(r.result).name)));
    const std::string args = fmt::format(R"("group":{},"client":{},{})", r.group, r.client, result);
    const Trace::Slice round{clients, r.thread, "client", "round", id};
    const Trace::Slice wait{clients, r.thread, "client", "wait", id};
    const Trace::Slice lease{clients, r.thread, "client", "lease", id};
    trace_.begin(round, micros(r.due), args);
    trace_.begin(wait, micros(r.asked));
    trace_.end(wait, micros(lent ? r.served : done));
    if (lent) {
      trace_.begin(lease, micros(r.lent));
      trace_.end(lease, micros(done));
    }
    trace_.end(round, micros(done));
    if (lent && r.slot_session != 0) on_its_connection(r, id, done);
    if (!well(r)) trace_.instant(clients, r.thread, 't', info(r.result).name, micros(done), args);
  }

  void on_its_connection(const Round& r, std::uint64_t id, Instant done) {
    const std::string name = fmt::format("session {}", r.slot_session);
    const Trace::Slice slice{connections, r.slot_session, "connection", name, id};
    trace_.begin(slice, micros(r.lent),
                 fmt::format(R"("client":{})", json_string(thread_name(report_, r.thread))));
    trace_.end(slice, micros(done));
  }

  void counts() {
    for (const Sample& s : report_.samples) {
      const PoolCounts& c = s.counts;
      const std::string at = micros(s.at);
      trace_.counter(connections, "connections", at,
                     fmt::format(R"("lent":{},"idle":{},"connecting":{},"other":{})", c.lent,
                                 c.idle, c.connecting, c.other));
      trace_.counter(clients, "waiting", at, fmt::format(R"("waiting":{})", c.waiting));
      trace_.counter(server, "sessions", at, fmt::format(R"("sessions":{})", s.server_sessions));
    }
  }

  void fault_bands() {
    std::uint64_t id = 0;
    for (const Fault& fault : case_.scenario.server.faults) {
      const Span span = active(fault, case_);
      const std::string args = fmt::format(R"("target":{},"probability_ppm":{},"amount":{})",
                                           fault.target, fault.probability_ppm, fault.amount);
      const Trace::Slice slice{faults, 0, "fault", name_of(fault.what), ++id};
      trace_.begin(slice, micros(span.from), args);
      trace_.end(slice, micros(span.to));
    }
  }

  void actions() {
    for (const Action& action : case_.scenario.actions) {
      trace_.instant(faults, 0, 'p', "host: " + std::string(to_string(action.what)),
                     micros(action.at));
    }
  }

  void ending() {
    if (report_.ok()) return;
    trace_.instant(faults, 0, 'g', headline(report_), micros(report_.ending.at));
  }

  std::string other() const {
    std::string out =
        fmt::format(R"("scenario":{},"seed":"{}","trace_hash":"{}","verdict":{})",
                    json_string(case_.scenario.name), case_.scenario.seed,
                    hash_text(report_.ending.trace_hash), json_string(headline(report_)));
    if (left_out_ > 0) out += fmt::format(R"(,"left_out":{})", json_string(left_out_text()));
    return out;
  }

  const Case& case_;
  const Report& report_;
  const PerfettoOptions& options_;
  Trace trace_;
  std::uint64_t last_id_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace

std::string to_perfetto(const Case& shown, const PerfettoOptions& options) {
  return Writer(shown, options).write();
}

}  // namespace weir::sim
