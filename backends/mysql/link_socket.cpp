// SPDX-License-Identifier: MIT
#include "backends/mysql/link_socket.hpp"

#include "backends/mysql/config.hpp"
#include "backends/mysql/errors.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <poll.h>
#include <random>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace weir::mysql {
namespace {

using Clock = std::chrono::steady_clock;

// The library reads 16 KB ahead (MariaDB's), so this is well more than it takes at once.
constexpr std::size_t answer_bytes = 64 * 1024;
// Well more than the name and what the protocol has between two parts of the answer.
constexpr std::size_t looked_at_bytes = 512;
// The rest of an answer whose beginning is there comes without further ado.
constexpr std::chrono::seconds rest_patience{1};

std::string random_name() {
  std::random_device random;
  std::string name;
  for (int i = 0; i < 4; ++i) {
    std::array<char, 8> digits{};
    digits.fill('0');
    std::array<char, 8> part{};
    const auto end = std::to_chars(part.data(), part.data() + part.size(), random(), 16).ptr;
    const auto size = static_cast<std::size_t>(end - part.data());
    std::copy(part.data(), end, digits.end() - static_cast<std::ptrdiff_t>(size));
    name.append(digits.data(), digits.size());
  }
  return name;
}

std::uint16_t port_of(const sockaddr_storage& address) noexcept {
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
}

// Whether it may be a connection to that server. Others are let alone.
bool may_lead_to(const Config& config, int fd) noexcept {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return false;
  if (!config.socket.empty()) return peer.ss_family == AF_UNIX;
  if (peer.ss_family != AF_INET && peer.ss_family != AF_INET6) return false;
  return port_of(peer) == config.port;
}

std::vector<pollfd> connections_to(const Config& config) {
  std::vector<pollfd> found;
  const auto close = [](DIR* dir) { ::closedir(dir); };
  const std::unique_ptr<DIR, decltype(close)> all(::opendir("/proc/self/fd"), close);
  if (all == nullptr) return found;
  while (const dirent* const entry = ::readdir(all.get())) {  // NOLINT: nobody else's directory
    const std::string_view name(entry->d_name);
    int fd = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), fd);
    if (error != std::errc{} || end != name.data() + name.size()) continue;
    if (may_lead_to(config, fd)) found.push_back({fd, POLLIN, 0});
  }
  return found;
}

enum class Seen : std::uint8_t { it, another, too_little };

// Looks without taking. What it looks into may be somebody else's, who closes it at this moment;
// its number may even be another one's by now. ThreadSanitizer takes that for a race, which a look
// is not, and so it is not shown it.
Seen look_into(int fd, std::string_view name) noexcept {
  std::array<char, looked_at_bytes> bytes{};
  const auto size = ::syscall(SYS_recvfrom, fd, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT,
                              nullptr, nullptr);
  if (size <= 0) return Seen::another;
  const std::string_view seen(bytes.data(), static_cast<std::size_t>(size));
  if (seen.find(name) != std::string_view::npos) return Seen::it;
  return seen.size() < bytes.size() ? Seen::too_little : Seen::another;
}

int which_carries(std::vector<pollfd> among, std::string_view name, Clock::time_point until) {
  while (!among.empty() && Clock::now() < until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (::poll(among.data(), among.size(), static_cast<int>(left.count())) < 0) {
      if (errno != EINTR) break;
      continue;
    }
    bool nothing_new = true;
    for (pollfd& one : among) {
      if (one.revents == 0) continue;
      // To look into one that has failed would take that from its owner.
      const bool sound = (one.revents & (POLLERR | POLLNVAL)) == 0;
      const Seen seen = sound ? look_into(one.fd, name) : Seen::another;
      if (seen == Seen::it) return one.fd;
      if (seen == Seen::too_little) continue;  // more may come
      one.fd = -1;                             // poll() passes it over
      nothing_new = false;
    }
    if (nothing_new) ::poll(nullptr, 0, 1);
    std::erase_if(among, [](const pollfd& one) { return one.fd < 0; });
  }
  return -1;
}

}  // namespace

LinkSocket::~LinkSocket() {
  if (fd_ >= 0) ::close(fd_);
}

void LinkSocket::shut() const noexcept {
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

LinkSocket LinkSocket::find(sql::Connection& link, const Config& config, std::uint64_t max_packet,
                            std::chrono::nanoseconds patience) try {
  if (library_raises_sigpipe || config.tls != Tls::off || max_packet < 2 * answer_bytes) return {};
  const std::string name = random_name();
  const std::unique_ptr<sql::Statement> statement(link.createStatement());
  // Forward only: the library reads rows when it is asked for them. Backwards, because an answer
  // about who asks what has the text of the query in it.
  statement->setResultSetType(sql::ResultSet::TYPE_FORWARD_ONLY);
  const std::unique_ptr<sql::ResultSet> rows(statement->executeQuery(
      "SELECT REPEAT(REVERSE('" + std::string(name.rbegin(), name.rend()) + "'), " +
      std::to_string(answer_bytes / name.size()) + ") /* which socket is this? */"));
  const auto until = Clock::now() + std::min<std::chrono::nanoseconds>(patience, rest_patience);
  const int fd = which_carries(connections_to(config), name, until);
  return fd < 0 ? LinkSocket() : LinkSocket(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
} catch (const sql::SQLException& e) {
  if (meaning_of(e.getErrorCode(), e.getSQLState()).conn_fate == WEIR_CONN_BROKEN) throw;
  return {};  // the server does not like the question
}

}  // namespace weir::mysql
