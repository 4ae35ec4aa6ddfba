// SPDX-License-Identifier: MIT
//
// server.cpp: the way of a request: over the network, through the server, and back.
#include "sim/server/server.hpp"

#include "sim/world/streams.hpp"

#include <algorithm>
#include <utility>

namespace weir::sim {
namespace {

constexpr weir_time never = WEIR_NO_DEADLINE;
constexpr std::int64_t certain_ppm = 1'000'000;

Answer broken(weir_status kind, const char* text) {
  Answer answer = failure(kind, text);
  answer.conn_fate = WEIR_CONN_BROKEN;
  answer.effect = WEIR_EFFECT_UNKNOWN;
  return answer;
}

}  // namespace

Server::Server(Settings settings) : settings_(std::move(settings)), database_(ledger_) {
  ledger_.records_max = settings_.records_max;
  const std::vector<Fault> faults = std::exchange(settings_.faults, {});
  for (const Fault& fault : faults) add(0, fault);
}

// ---- The client's calls -------------------------------------------------------------------------

std::uint64_t Server::dial(weir_time now, std::uint64_t conn_tag, const weir_host* host) {
  advance(now);
  const std::uint64_t id = ++last_link_;
  // A tag names a connection of one pool; the second pool of a world dials with the same tags.
  const std::uint64_t entity = conn_tag + (dials_[conn_tag]++ << 40);
  const auto at =
      links_.emplace(id, Link(id, conn_tag, host, stream(settings_.seed, entity, "link")));
  Link& link = at.first->second;
  link.op.phase = Op::Phase::outbound;
  link.op.dialing = true;
  link.op.at = clock_ + scaled(settings_.resolve.draw(link.random), link) +
               settings_.network.draw(link.random);
  note(link, What::dialed, static_cast<std::int64_t>(conn_tag));
  hold(link);
  if (hits(FaultKind::black_hole, link) != nullptr) lose(link);
  return id;
}

void Server::send(weir_time now, std::uint64_t id, const Request& request) {
  advance(now);
  const auto found = links_.find(id);
  if (found == links_.end()) return;
  Link& link = found->second;
  link.op = Op{};
  link.op.request = request;
  if (request.kind == WEIR_SIM_STATEMENT) {
    link.op.command = parse(request.text, request.parameters);
  }
  link.op.phase = Op::Phase::outbound;
  link.op.at = clock_ + settings_.network.draw(dice(link));
  hold(link);
  if (link.half_open || hits(FaultKind::black_hole, link) != nullptr) lose(link);
}

Reply Server::poll(weir_time now, std::uint64_t id) {
  advance(now);
  Reply reply;
  const auto found = links_.find(id);
  if (found == links_.end()) return reply;
  Link& link = found->second;
  reply.look_at = look_at(link);
  reply.past_deadline = link.op.past_deadline;
  reply.past_abort = link.op.past_abort;
  if (link.op.phase != Op::Phase::returning || reply.look_at > clock_) return reply;
  reply.pending = false;
  reply.answer = &link.op.answer;
  reply.session_flags = link.session.flags();
  if (is_read_only(link)) reply.session_flags |= WEIR_STATE_READ_ONLY;
  reply.backend_id = link.backend_id;
  note(link, What::delivered, link.op.answer.status);
  link.op.phase = Op::Phase::none;
  return reply;
}

void Server::cancel(weir_time now, std::uint64_t id, std::uint64_t op_id) {
  advance(now);
  const auto found = links_.find(id);
  if (found == links_.end()) return;
  Link& link = found->second;
  note(link, What::cancelled, static_cast<std::int64_t>(op_id));
  if (hits(FaultKind::black_hole, link) != nullptr) return;
  link.cancel_at = clock_ + settings_.network.draw(link.random);
  link.cancel_op = op_id;
}

void Server::give_up(weir_time now, std::uint64_t id) {
  advance(now);
  const auto found = links_.find(id);
  if (found == links_.end()) return;
  found->second.op.given_up = true;
  note(found->second, What::given_up, static_cast<std::int64_t>(found->second.op.request.op_id));
}

// The server learns of it by the last packet, unless that is lost, too.
void Server::hang_up(weir_time now, std::uint64_t id) {
  advance(now);
  const auto found = links_.find(id);
  if (found == links_.end()) return;
  Link& link = found->second;
  note(link, What::hung_up);
  link.hung_up = true;
  if (link.session.id == 0) {
    links_.erase(found);
    return;
  }
  ++ledger_.sessions_hung_up;
  weir_time sent = clock_;
  if (const Fault* hole = hits(FaultKind::black_hole, link)) sent = hole->to;
  if (link.half_open || sent == never) return;
  link.notice_at = sent + settings_.network.draw(link.random) + settings_.notice_ns;
}

// ---- On the server ------------------------------------------------------------------------------

void Server::arrive(Link& link) {
  if (link.op.dialing) return admit(link);
  if (link.cut) return answer(link, broken(WEIR_E_CONN_LOST, "the server had closed the session"));
  start(link);
}

void Server::refuse(Link& link, weir_status kind, std::uint8_t stage, const char* text) {
  Answer said = failure(kind, text);
  said.stage = stage;
  note(link, What::refused, kind);
  answer(link, std::move(said));
}

void Server::admit(Link& link) {
  if (hits(FaultKind::refuse, link) != nullptr) {
    return refuse(link, WEIR_E_CONNECT, WEIR_STAGE_CONNECT, "nothing listens there");
  }
  if (hits(FaultKind::restart, link) != nullptr) {
    return refuse(link, WEIR_E_SERVER_NOT_READY, WEIR_STAGE_AUTH, "the server is starting up");
  }
  std::int64_t room = settings_.max_connections;
  const Fault* full = hits(FaultKind::full, link);
  if (full != nullptr) room = full->amount;
  if ((room > 0 || full != nullptr) && ledger_.sessions >= room) {
    return refuse(link, WEIR_E_TOO_MANY_CONNECTIONS, WEIR_STAGE_AUTH,
                  "the server has no room for another session");
  }
  link.session.id = link.backend_id = ++last_session_;
  link.last_io = clock_;
  ledger_.sessions_max = std::max(ledger_.sessions_max, ++ledger_.sessions);
  note(link, What::admitted);
  link.op.phase = Op::Phase::timed;
  link.op.at = clock_ + scaled(settings_.tls.draw(link.random), link) +
               scaled(settings_.auth.draw(link.random), link);
  if (const Fault* slow = hits(FaultKind::slow_connect, link)) link.op.at += slow->amount;
}

// Pings and goodbyes need next to nothing of the machine, so they do not share its capacity.
void Server::start(Link& link) {
  Op& op = link.op;
  link.last_io = clock_;
  note(link, What::began, static_cast<std::int64_t>(op.request.op_id), op.request.text);
  if (hits(FaultKind::reset, link) != nullptr) {
    if ((link.random.next() & 1U) == 0) return end_session(link, SessionEnd::broke_off);
    op.reset_after = true;
  }
  const std::int64_t ns = demand(link);
  const bool computes = op.request.kind <= WEIR_SIM_ROLLBACK && op.command.verb != Verb::sleep;
  op.phase = computes ? Op::Phase::serving : Op::Phase::timed;
  op.at = clock_ + ns;
  op.work = ns * Capacity::full_speed;
}

std::int64_t Server::demand(Link& link) {
  const Op& op = link.op;
  base::Random& random = dice(link);
  switch (op.request.kind) {
    case WEIR_SIM_STATEMENT:
      if (op.command.verb == Verb::sleep) return op.command.number;
      if (op.command.verb == Verb::commit) return scaled(settings_.commit.draw(random), link);
      if (op.command.verb == Verb::begin || op.command.verb == Verb::rollback) return 0;
      return scaled(settings_.statement.draw(random), link);
    case WEIR_SIM_COMMIT:
      return scaled(settings_.commit.draw(random), link);
    case WEIR_SIM_PING:
      return scaled(settings_.ping.draw(random), link);
    case WEIR_SIM_RESET:
      return scaled(settings_.reset.draw(random), link);
    case WEIR_SIM_GOODBYE: {
      const Fault* slow = hits(FaultKind::slow_close, link);
      return scaled(settings_.goodbye.draw(random), link) + (slow == nullptr ? 0 : slow->amount);
    }
    default:
      return 0;
  }
}

void Server::finish(Link& link) {
  Op& op = link.op;
  const bool bye = op.request.kind == WEIR_SIM_GOODBYE && !op.dialing;
  link.last_io = clock_;
  effect(link);
  if (!op.dialing) note(link, What::done, op.answer.status);
  op.phase = Op::Phase::none;  // it has run: the end of the session does not touch it any more
  if (bye) end_session(link, SessionEnd::goodbye);
  carry_back(link);
}

void Server::effect(Link& link) {
  Op& op = link.op;
  const bool read_only = is_read_only(link);
  Session& session = link.session;
  op.answer = Answer{};
  if (op.dialing) {
    if (hits(FaultKind::auth_failure, link) == nullptr) return;
    op.answer = failure(WEIR_E_AUTH, "the server does not accept the password");
    op.answer.stage = WEIR_STAGE_AUTH;
    note(link, What::refused, WEIR_E_AUTH);
    return;
  }
  if (op.command.lease) database_.hand_over(session, op.command.lease, about(link));
  const bool computes = op.request.kind <= WEIR_SIM_ROLLBACK;
  if (computes && hits(FaultKind::error, link) != nullptr) {
    op.answer = failure(WEIR_E_RESOURCE, "the server is out of something");
  } else if (op.request.kind == WEIR_SIM_STATEMENT) {
    op.answer = database_.run(session, op.command, read_only, about(link));
  } else if (op.request.kind == WEIR_SIM_BEGIN) {
    op.answer = database_.begin(session, op.command);
  } else if (op.request.kind == WEIR_SIM_COMMIT) {
    op.answer = database_.commit(session, read_only, about(link));
  } else if (op.request.kind == WEIR_SIM_ROLLBACK) {
    op.answer = database_.rollback(session);
  } else if (op.request.kind == WEIR_SIM_RESET) {
    database_.reset(session, op.request.level);
  }
  if (op.answer.status == WEIR_E_DEADLOCK) database_.rollback(session);
  const bool fails =
      op.answer.status == WEIR_E_SERIALIZATION || op.answer.status == WEIR_E_RESOURCE;
  if (fails && session.in_tx) session.tx_failed = true;
}

void Server::carry_back(Link& link) {
  Op& op = link.op;
  if (op.dialing && op.answer.status != WEIR_OK) end_session(link, SessionEnd::broke_off);
  if (op.answer.status == WEIR_E_CONN_LOST) {
    op.answer = broken(WEIR_E_CONN_LOST, "the server hung up");
    end_session(link, SessionEnd::broke_off);
  } else if (hits(FaultKind::garbage, link) != nullptr) {
    op.answer = broken(WEIR_E_PROTOCOL, "the reply is not of the protocol");
  } else if (op.reset_after) {
    op.answer = broken(WEIR_E_CONN_LOST, "the connection was reset");
    end_session(link, SessionEnd::broke_off);
  }
  answer(link, std::move(op.answer));
  op.at = std::max(op.at, op.not_before);
  if (link.half_open || hits(FaultKind::mute, link) != nullptr) lose(link);
}

void Server::hold(Link& link) {
  const Fault* deaf = hits(FaultKind::deaf, link);
  const Fault* hang = deaf != nullptr ? deaf : hits(FaultKind::hang, link);
  if (hang == nullptr) return;
  link.op.not_before = hang->to;
  link.op.past_deadline = true;
  link.op.past_abort = deaf != nullptr;
}

void Server::answer(Link& link, Answer said) {
  link.op.answer = std::move(said);
  link.op.phase = Op::Phase::returning;
  link.op.at = clock_ + settings_.network.draw(dice(link));
}

// A driver that ignored its deadline now would never come back.
void Server::lose(Link& link) {
  link.op.phase = Op::Phase::lost;
  link.op.past_deadline = link.op.past_abort = false;
}

void Server::take_cancel(Link& link) {
  link.cancel_at = never;
  Op& op = link.op;
  const bool names_it = settings_.loose_cancels || op.request.op_id == link.cancel_op;
  if (!link.runs() || op.dialing || !names_it) {
    note(link, What::cancel_missed, static_cast<std::int64_t>(link.cancel_op));
    return;
  }
  Record hit = about(link);
  hit.what = What::cancel_hit;
  hit.number = static_cast<std::int64_t>(op.request.op_id);
  hit.op = link.cancel_op;
  ledger_.add(std::move(hit));
  if (link.session.in_tx) link.session.tx_failed = true;  // as PostgreSQL does it
  op.answer = failure(WEIR_E_CANCELLED, "the statement was cancelled");
  note(link, What::done, WEIR_E_CANCELLED);
  carry_back(link);
  wake_all_that_wait();  // what it leaves of the machine, others use
}

void Server::end_session(Link& link, SessionEnd ending) {
  if (link.session.id == 0) return;
  note(link, What::ended, static_cast<std::int64_t>(ending));
  database_.end(link.session);
  link.session = Session{};
  link.cut = true;
  --ledger_.sessions;
  if (link.hung_up) --ledger_.sessions_hung_up;
  if (!link.runs() && link.op.phase != Op::Phase::outbound) return;
  Answer said = broken(WEIR_E_CONN_LOST, "the server ended the session");
  if (link.op.dialing) said.stage = WEIR_STAGE_AUTH;
  answer(link, std::move(said));
  if (link.half_open) lose(link);
}

// ---- Faults, chance, records --------------------------------------------------------------------

bool Server::is_active(const Fault& fault, const Link& link) const {
  const bool now = fault.from <= clock_ && clock_ < fault.to;
  return now && (fault.target == 0 || fault.target == link.conn_tag);
}

bool Server::hits(const Fault& fault, Link& link) {
  return is_active(fault, link) && (fault.probability_ppm >= certain_ppm ||
                                    dice(link).next() % certain_ppm < fault.probability_ppm);
}

const Fault* Server::hits(FaultKind kind, Link& link) {
  const auto is_worse = [](const Fault& one, const Fault& than) {
    if (one.amount == than.amount) return one.to > than.to;
    return one.what == FaultKind::full ? one.amount < than.amount : one.amount > than.amount;
  };
  const Fault* worst = nullptr;
  for (const Fault& fault : settings_.faults) {
    if (fault.what != kind || !hits(fault, link)) continue;
    if (worst == nullptr || is_worse(fault, *worst)) worst = &fault;
  }
  return worst;
}

// A state of the server, whatever is asked of it: there is nothing to throw dice for.
bool Server::is_read_only(const Link& link) const {
  return std::any_of(settings_.faults.begin(), settings_.faults.end(), [&](const Fault& fault) {
    return fault.what == FaultKind::read_only && is_active(fault, link);
  });
}

// A lease is on one link. Its commit has no mark: the pool writes it.
base::Random& Server::dice(Link& link) {
  const Command& command = link.op.command;
  const bool commits = command.verb == Verb::commit || link.op.request.kind == WEIR_SIM_COMMIT;
  if (!command.lease) return commits && link.lease_random ? *link.lease_random : link.random;
  if (!link.lease_random || link.lease != command.lease) {
    link.lease = command.lease;
    link.lease_random = stream(settings_.seed, command.luck, "statements");
  }
  return *link.lease_random;
}

// By the slowest of those that hit. A connect has several times, and is hit as a whole.
std::int64_t Server::scaled(std::int64_t ns, Link& link) {
  constexpr std::int64_t percent_max = 1'000'000;
  std::optional<std::int64_t> percent;
  for (const Fault& fault : settings_.faults) {
    if (fault.what != FaultKind::slow || !is_active(fault, link)) continue;
    if (fault.probability_ppm < certain_ppm) {
      std::optional<std::uint32_t>& luck = link.op.slow_luck;
      if (!luck) luck = static_cast<std::uint32_t>(dice(link).next() % certain_ppm);
      if (*luck >= fault.probability_ppm) continue;
    }
    percent = std::max(percent.value_or(0), std::clamp<std::int64_t>(fault.amount, 0, percent_max));
  }
  return percent ? std::min(ns * *percent / 100, Capacity::demand_max_ns) : ns;
}

Record Server::about(const Link& link) const {
  Record record;
  record.at = clock_;
  record.link = link.id;
  record.session = link.session.id;
  record.op = link.op.request.op_id;
  record.lease = link.op.command.lease ? link.op.command.lease : link.session.lease;
  return record;
}

void Server::note(const Link& link, What what, std::int64_t number, std::string text) {
  if (ledger_.overflowed) return;
  Record record = about(link);
  record.what = what;
  record.number = number;
  record.text = std::move(text);
  ledger_.add(std::move(record));
}

}  // namespace weir::sim
