// SPDX-License-Identifier: MIT
#include "backends/postgres/resolve.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <cstdint>
#include <netdb.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace weir::postgres {
namespace {

void end(Lookup& lookup) noexcept {
  lookup.over.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  // Cannot fail: the counter starts at 0 and is written once.
  [[maybe_unused]] const auto n = ::write(lookup.fd, &one, sizeof one);
}

void look_up(Lookup& lookup) noexcept {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(lookup.host.c_str(), nullptr, &hints, &found);
  try {
    if (code != 0) lookup.complaint = ::gai_strerror(code);
    for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
      char text[NI_MAXHOST];
      if (::getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) ==
          0) {
        lookup.addresses.emplace_back(text);
      }
    }
  } catch (...) {
    lookup.addresses.clear();  // no memory: as if nothing was found
  }
  if (found != nullptr) ::freeaddrinfo(found);
  end(lookup);
}

// Signals of the host are handled on the host's threads.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

Lookup::Lookup(std::string name)
    : host(std::move(name)), fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Lookup::~Lookup() {
  if (fd >= 0) ::close(fd);
}

std::shared_ptr<Lookup> Resolver::start(const std::string& host) {
  auto lookup = std::make_shared<Lookup>(host);
  if (lookup->fd < 0) return lookup;
  const std::lock_guard lock(mutex_);
  join_finished();
  const AllSignalsBlocked blocked;
  running_.push_back({lookup, {}});
  try {
    running_.back().thread = std::thread([lookup] { look_up(*lookup); });
  } catch (const std::system_error&) {
    running_.pop_back();
    lookup->complaint = "no thread for the look-up: the process may have no more of them";
    end(*lookup);
  }
  return lookup;
}

void Resolver::join_finished() {
  for (auto at = running_.begin(); at != running_.end();) {
    if (!at->lookup->over.load(std::memory_order_acquire)) {
      ++at;
      continue;
    }
    at->thread.join();
    at = running_.erase(at);
  }
}

Resolver::~Resolver() {
  for (Running& one : running_) one.thread.join();
}

bool is_socket_directory(const std::string& host) noexcept {
  return host.empty() || host[0] == '/' || host[0] == '@';
}

bool is_numeric(const std::string& host) noexcept {
  unsigned char bytes[sizeof(in6_addr)];
  const std::string without_scope = host.substr(0, host.find('%'));
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         ::inet_pton(AF_INET6, without_scope.c_str(), bytes) == 1;
}

}  // namespace weir::postgres
