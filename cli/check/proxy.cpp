// SPDX-License-Identifier: MIT
#include "cli/check/proxy.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <list>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace weir::check {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t held_max = 1U << 20U;  // of one way; then the sender has to wait
constexpr int forever = -1;

class Fd {
 public:
  explicit Fd(int fd = -1) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }

  // Closes so that the other side gets a reset, where the kind of socket has such a thing.
  void reset() noexcept {
    const linger none{1, 0};
    // A unix socket ignores it: there, closing with unread bytes is the reset.
    static_cast<void>(::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &none, sizeof none));
    *this = Fd();
  }

 private:
  int fd_;
};

// Whether the call may be tried again later; else the peer is gone.
bool is_later() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

// One way of a link: what has come and waits for its time.
class Way {
 public:
  explicit Way(Faults faults) : faults_(faults), counted_from_(Clock::now()) {}

  void set(const Faults& faults) {
    faults_ = faults;
    passed_ = 0;
    counted_from_ = Clock::now();
    for (Held& held : held_) held.due = counted_from_ + milliseconds(faults.delay_ms);
  }

  [[nodiscard]] bool wants_more() const noexcept { return !ended_ && size_ < held_max; }
  [[nodiscard]] bool is_over() const noexcept { return shut_; }
  [[nodiscard]] bool resets() const noexcept {
    return faults_.end == Faults::End::reset && passed_ >= faults_.end_after;
  }

  // Reads what there is. False: the peer was torn away, not closed.
  bool take(int from) {
    char bytes[65536];
    const ssize_t n = ::recv(from, bytes, sizeof bytes, 0);
    if (n < 0) return is_later();
    if (n == 0) {
      ended_ = true;
      return true;
    }
    if (shut_) return true;  // there is nowhere to pass it on to
    const auto size = static_cast<std::size_t>(n);
    held_.push_back({std::string(bytes, size), Clock::now() + milliseconds(faults_.delay_ms)});
    size_ += size;
    return true;
  }

  // Passes on what may go by now. False: the peer is gone. *blocked: it takes nothing at present.
  bool pass(int to, std::atomic<std::uint64_t>& total, bool& blocked) {
    blocked = false;
    while (!held_.empty()) {
      const std::size_t size = std::min(held_.front().bytes.size(), allowed());
      if (size == 0 || held_.front().due > Clock::now()) break;
      const ssize_t n = ::send(to, prepared(size), size, MSG_NOSIGNAL);
      if (n < 0) {
        blocked = is_later();
        return blocked;
      }
      drop(static_cast<std::size_t>(n));
      total += static_cast<std::uint64_t>(n);
    }
    const bool at_end = passed_ >= faults_.end_after;
    const bool cut = at_end && faults_.end == Faults::End::fin;
    const bool closed = !at_end && ended_ && held_.empty();  // a stall holds that back, too
    if ((closed || cut) && !shut_) {
      shut_ = true;
      // It may have gone by itself.
      static_cast<void>(::shutdown(to, SHUT_WR));
    }
    return true;
  }

  // When to look again though nothing has come: a delay or a throttle is at work.
  [[nodiscard]] Clock::time_point due() const noexcept {
    if (held_.empty() || passed_ >= faults_.end_after) return Clock::time_point::max();
    const auto throttled = Clock::now() + milliseconds(faults_.bytes_per_ms > 0 ? 1 : 0);
    return std::max(held_.front().due, throttled);
  }

 private:
  struct Held {
    std::string bytes;
    Clock::time_point due;
  };

  // How many bytes may pass now.
  [[nodiscard]] std::size_t allowed() const noexcept {
    std::uint64_t left = faults_.end_after > passed_ ? faults_.end_after - passed_ : 0;
    if (shut_) left = 0;
    if (faults_.bytes_per_ms > 0) {
      const auto ms = std::chrono::duration_cast<milliseconds>(Clock::now() - counted_from_);
      const auto budget = static_cast<std::uint64_t>(ms.count() * faults_.bytes_per_ms);
      left = std::min(left, budget > passed_ ? budget - passed_ : 0);
    }
    return static_cast<std::size_t>(left);
  }

  const char* prepared(std::size_t size) {
    char* bytes = held_.front().bytes.data();
    if (faults_.corrupt_at >= passed_ && faults_.corrupt_at < passed_ + size) {
      char& c = bytes[faults_.corrupt_at - passed_];
      c = static_cast<char>(~c);
      faults_.corrupt_at = Faults::never;  // should only part of them go, it is not turned back
    }
    return bytes;
  }

  void drop(std::size_t size) {
    std::string& bytes = held_.front().bytes;
    bytes.erase(0, size);
    if (bytes.empty()) held_.pop_front();
    size_ -= size;
    passed_ += size;
  }

  Faults faults_;
  Clock::time_point counted_from_;
  std::uint64_t passed_ = 0;  // since then
  std::deque<Held> held_;
  std::size_t size_ = 0;  // of all that is held
  bool ended_ = false;    // the sender closed its side
  bool shut_ = false;     // and so did we
};

Fd connect_to(const std::string& server) {
  sockaddr_un local{};
  sockaddr_in remote{};
  const sockaddr* name = nullptr;
  socklen_t size = 0;
  if (server.starts_with('/')) {
    local.sun_family = AF_UNIX;
    server.copy(local.sun_path, sizeof local.sun_path - 1);
    name = reinterpret_cast<const sockaddr*>(&local);
    size = sizeof local;
  } else {
    const std::size_t colon = server.rfind(':');
    remote.sin_family = AF_INET;
    remote.sin_port = htons(static_cast<std::uint16_t>(std::stoi(server.substr(colon + 1))));
    if (::inet_pton(AF_INET, server.substr(0, colon).c_str(), &remote.sin_addr) != 1) return Fd();
    name = reinterpret_cast<const sockaddr*>(&remote);
    size = sizeof remote;
  }
  Fd fd(::socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Waits: on one machine, for a moment.
  if (fd.get() < 0 || ::connect(fd.get(), name, size) != 0) return Fd();
  return fd;
}

void prepare(int fd) {
  const int on = 1;
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  // So that the moment of a byte is the one at which it was passed on. A unix socket has no such
  // option, and needs none.
  static_cast<void>(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
}

struct Link {
  Link(Fd from, Fd to, const Faults& forth, const Faults& back)
      : client(std::move(from)), server(std::move(to)), to_server(forth), to_client(back) {
    prepare(client.get());
    prepare(server.get());
  }
  Fd client;
  Fd server;
  Way to_server;
  Way to_client;
  bool server_is_full = false;
  bool client_is_full = false;
};

}  // namespace

class Proxy::Loop {
 public:
  explicit Loop(std::string server)
      : server_(std::move(server)),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    auto* const any = reinterpret_cast<sockaddr*>(&name);
    if (::bind(listener_.get(), any, size) != 0 || ::listen(listener_.get(), 128) != 0 ||
        ::getsockname(listener_.get(), any, &size) != 0) {
      throw std::system_error(errno, std::generic_category(), "a proxy on the loopback");
    }
    port_ = ntohs(name.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~Loop() {
    tell([this] { ending_ = true; });
    thread_.join();
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void set(const Faults& forth, const Faults& back, Whom whom) {
    tell([&] {
      forth_ = forth;
      back_ = back;
      if (whom == Whom::newcomers) return;
      for (Link& link : links_) {
        link.to_server.set(forth);
        link.to_client.set(back);
      }
    });
  }

  std::uint16_t port() const noexcept { return port_; }
  std::atomic<std::uint64_t> passed_to_server{0};
  std::atomic<std::uint64_t> passed_to_client{0};
  std::atomic<int> open{0};
  std::atomic<int> made{0};

 private:
  template <class F>
  void tell(F change) {
    const std::lock_guard lock(mutex_);
    change();
    const std::uint64_t one = 1;
    // Full means that the loop has been woken already.
    [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
  }

  void run() {
    std::vector<pollfd> fds;
    for (;;) {
      int wait_ms = forever;
      {
        const std::lock_guard lock(mutex_);
        if (ending_) return;
        links_.remove_if([this](Link& link) { return step(link); });
        wait_ms = ask(fds);
      }
      ::poll(fds.data(), fds.size(), wait_ms);
      const std::lock_guard lock(mutex_);
      std::uint64_t woken = 0;
      [[maybe_unused]] const auto n = ::read(wake_.get(), &woken, sizeof woken);
      read_all(fds);
      accept_all();
    }
  }

  // What to wait for: the listener, the wake-up, then two for each link. Returns for how long.
  int ask(std::vector<pollfd>& fds) const {
    fds.assign({{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}});
    auto due = Clock::time_point::max();
    for (const Link& link : links_) {
      const auto side = [&fds](int fd, bool reads, bool writes) {
        const int events = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0);
        // Without events poll would tell of a hang-up again and again.
        fds.push_back({events == 0 ? -1 : fd, static_cast<short>(events), 0});
      };
      side(link.client.get(), link.to_server.wants_more(), link.client_is_full);
      side(link.server.get(), link.to_client.wants_more(), link.server_is_full);
      if (!link.server_is_full) due = std::min(due, link.to_server.due());
      if (!link.client_is_full) due = std::min(due, link.to_client.due());
    }
    if (due == Clock::time_point::max()) return forever;
    const auto left = std::chrono::ceil<milliseconds>(due - Clock::now()).count();
    return static_cast<int>(std::clamp<decltype(left)>(left, 0, 1000));
  }

  void read_all(const std::vector<pollfd>& fds) {
    std::size_t at = 2;
    for (auto link = links_.begin(); link != links_.end(); at += 2) {
      const auto readable = [&fds, at](std::size_t side) {
        return (fds[at + side].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
      };
      bool whole = true;
      if (readable(0) && link->to_server.wants_more()) {
        whole = link->to_server.take(link->client.get());
      }
      if (readable(1) && link->to_client.wants_more()) {
        whole = link->to_client.take(link->server.get()) && whole;
      }
      link = whole ? std::next(link) : torn(link);
    }
  }

  std::list<Link>::iterator torn(std::list<Link>::iterator link) {
    --open;  // first, so that who sees the reset sees this
    link->client.reset();
    link->server.reset();
    return links_.erase(link);
  }

  // Passes on what may go. True: the link is over.
  bool step(Link& link) {
    const bool whole =
        link.to_server.pass(link.server.get(), passed_to_server, link.server_is_full) &&
        link.to_client.pass(link.client.get(), passed_to_client, link.client_is_full);
    const bool torn = !whole || link.to_server.resets() || link.to_client.resets();
    const bool over = torn || (link.to_server.is_over() && link.to_client.is_over());
    if (over) --open;
    if (torn) {
      link.client.reset();
      link.server.reset();
    }
    return over;
  }

  void accept_all() {
    for (;;) {
      Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (client.get() < 0) return;
      Fd server = connect_to(server_);
      ++made;
      if (server.get() < 0) {
        client.reset();
        continue;
      }
      links_.emplace_back(std::move(client), std::move(server), forth_, back_);
      ++open;
    }
  }

  const std::string server_;
  Fd listener_;
  Fd wake_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;  // guards what follows
  bool ending_ = false;
  Faults forth_;  // of newcomers
  Faults back_;
  std::list<Link> links_;
  std::thread thread_;
};

Proxy::Proxy(std::string server) : loop_(std::make_unique<Loop>(std::move(server))) {}
Proxy::~Proxy() = default;

std::uint16_t Proxy::port() const noexcept { return loop_->port(); }

void Proxy::set(const Faults& to_server, const Faults& to_client, Whom whom) {
  loop_->set(to_server, to_client, whom);
}

std::uint64_t Proxy::passed_to_server() const noexcept { return loop_->passed_to_server; }
std::uint64_t Proxy::passed_to_client() const noexcept { return loop_->passed_to_client; }
int Proxy::links_open() const noexcept { return loop_->open; }
int Proxy::links_made() const noexcept { return loop_->made; }

}  // namespace weir::check
