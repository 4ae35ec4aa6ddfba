// SPDX-License-Identifier: MIT
#include "cli/check/line.hpp"

#include "cli/check/rule.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace weir::check {
namespace {

std::string url_by(const Subject& subject, std::uint16_t port) {
  constexpr std::string_view place = "{port}";
  std::string url = subject.job().proxied_url;
  return url.replace(url.find(place), place.size(), std::to_string(port));
}

}  // namespace

Line::Line(const Subject& s)
    : subject(s),
      proxy(s.job().server),
      source(s.driver(), host.abi(), url_by(s, proxy.port()), options_of(s), s.job().directory),
      witness_(s) {
  expect(source.status == WEIR_OK, "source_create for --proxied-dsn failed with {}: {}",
         kind_name(source.status), source.error.what());
  witness_.open();
}

std::unique_ptr<Session> Line::open() {
  proxy.calm();
  auto s = std::make_unique<Session>(source, ++tag_);
  s->deadline = host.in(patience);
  s->open();
  s->must(WEIR_OK, "open by --proxied-dsn");
  return s;
}

std::vector<Row> Line::observe() {
  witness_.session.query(subject.sql("observe"));
  witness_.session.must(WEIR_OK, "the quirks' observe");
  return witness_.session.rows;
}

void Line::must_be_lost(std::unique_ptr<Session> s, std::string_view what) {
  s->must(WEIR_E_CONN_LOST, what);
  expect(s->error.conn_fate == WEIR_CONN_BROKEN, "{} says conn_fate {}, expected {}", what,
         s->error.conn_fate, WEIR_CONN_BROKEN);
  expect(s->is(WEIR_STATE_BROKEN), "after {} the state does not say broken", what);
  s->query(subject.sql("select_one"));
  s->must(WEIR_E_INVALID_STATE, fmt::format("a call after {}", what));
  must_close(std::move(s), what);
}

void Line::must_close(std::unique_ptr<Session> s, std::string_view what) {
  constexpr weir_time length = 200 * ms;
  s->deadline = host.in(length);
  s->close();
  const weir_time late = host.now() - s->deadline;
  const weir_time max = overrun_max(length);
  expect(
      late <= max,
      "close after {}, with a deadline in {} ms, was back {} ms after it, expected at most {} ms",
      what, length / ms, late / ms, max / ms);
}

weir_time Line::overrun_max(weir_time length) const noexcept {
  const weir_time promised =
      subject.claims(WEIR_CAP_BLOCKING) ? 1100 * ms : std::max<weir_time>(50 * ms, length / 10);
  return promised * slowness();
}

}  // namespace weir::check
