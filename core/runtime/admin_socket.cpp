// SPDX-License-Identifier: MIT
#include "core/runtime/admin_socket.hpp"

#include "core/base/peer.hpp"
#include "core/base/text.hpp"
#include "core/runtime/admin_desk.hpp"
#include "core/runtime/at_fork.hpp"
#include "core/runtime/signals_blocked.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace weir::runtime {
namespace {

constexpr int backlog = 16;
constexpr int rest_ms = 100;  // without a descriptor for a client, whose wish stays pending
constexpr mode_t owner_only = 0600;
constexpr int lock_tries = 100;
constexpr Duration lock_pause = std::chrono::milliseconds(10);

std::string cause(int error) { return std::system_category().message(error); }

Error unusable(const std::string& path, std::string_view why) {
  return {Code::config_value, fmt::format("[admin] socket {}: {}", printable(path), why)};
}

std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Null if somebody else holds it for too long.
std::optional<Descriptor> locked(int directory) {
  for (int i = 0; i < lock_tries; ++i) {
    if (::flock(directory, LOCK_EX | LOCK_NB) == 0) return Descriptor(directory);
    OsRuntime::sleep_until(OsRuntime::now() + lock_pause);
  }
  ::close(directory);
  return std::nullopt;
}

}  // namespace

// ---------------------------------------------------------------- children

// A child that went on listening would have clients wait for nobody and, once as many do as the
// system lets wait, keep the path from the next process for as long as it lives. The lock is held
// over fork(), so that in the child the list is whole and the lock its own.
class AdminSocket::All {
 public:
  void add(AdminSocket& socket) noexcept {
    const std::unique_lock lock(mutex_);
    socket.next_ = std::exchange(first_, &socket);
  }
  void remove(const AdminSocket& socket) noexcept {
    const std::unique_lock lock(mutex_);
    AdminSocket** at = &first_;
    while (*at != &socket) at = &(*at)->next_;
    *at = socket.next_;
  }

 private:
  void before_fork() noexcept { mutex_.lock(); }
  void in_parent() noexcept { mutex_.unlock(); }
  // Calls nothing but what a signal handler may call.
  void in_child() noexcept {
    for (AdminSocket* one = first_; one != nullptr; one = one->next_) one->leave_to_parent();
    first_ = nullptr;
    mutex_.unlock();
  }
  static const bool knows_forks;

  OsRuntime::mutex mutex_;
  AdminSocket* first_ = nullptr;
};

constinit AdminSocket::All AdminSocket::all;

const bool AdminSocket::All::knows_forks =
    at_fork([] { all.before_fork(); }, [] { all.in_parent(); }, [] { all.in_child(); });

void AdminSocket::leave_to_parent() noexcept {
  // The clients are left alone: the parent's thread may have been in the midst of their list.
  listener_ = Descriptor();
  wake_ = Descriptor();
}

// ---------------------------------------------------------------- the path

AdminSocket::AdminSocket(std::string path, Answer answer) noexcept
    : path_(std::move(path)), answer_(std::move(answer)) {
  all.add(*this);
}

Result<std::unique_ptr<AdminSocket>> AdminSocket::open(std::string path, Answer answer) {
  std::unique_ptr<AdminSocket> made(new AdminSocket(std::move(path), std::move(answer)));
  if (auto started = made->start(); !started) return fail(std::move(started).error());
  return made;
}

Result<void> AdminSocket::start() {
  const std::string parent = std::filesystem::path(path_).parent_path().string();
  const std::string directory = parent.empty() ? "." : parent;
  const int opened = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) {
    return fail(unusable(path_, fmt::format("its directory {} cannot be opened: {}",
                                            printable(directory), cause(errno))));
  }
  const auto lock = locked(opened);
  if (!lock) {
    return weir::fail(Code::invalid_state,
                      fmt::format("another program keeps {}, where the admin socket is to be, "
                                  "locked (flock)",
                                  printable(directory)));
  }
  auto taken = take_path();
  if (taken) taken = bind_path();
  // Not left to the close: a child that was forked meanwhile would keep the lock.
  ::flock(lock->get(), LOCK_UN);
  if (!taken) return taken;
  wake_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (wake_.get() < 0) {
    return weir::fail(Code::resource, "no descriptor for the admin socket: " + cause(errno));
  }
  try {
    const SignalsBlocked blocked;
    thread_ = OsRuntime::thread([this] { serve(); });
  } catch (const std::system_error& error) {
    return weir::fail(Code::resource,
                      std::string("no thread for the admin socket: ") + error.what());
  }
  return {};
}

// Removes what a process left that has ended.
// Errors: invalid_state if one is there; config_value for a file that is not ours to remove.
Result<void> AdminSocket::take_path() {
  const auto address = address_of(path_);
  if (!address) return fail(unusable(path_, "the path is too long for a socket"));
  struct stat there {};
  if (::lstat(path_.c_str(), &there) != 0) {
    if (errno == ENOENT) return {};
    return fail(unusable(path_, cause(errno)));
  }
  if (!S_ISSOCK(there.st_mode)) {
    return fail(unusable(path_, "there is a file that is no socket; remove it, or name another"));
  }
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (probe.get() < 0) {
    return weir::fail(Code::resource, "no descriptor for the admin socket: " + cause(errno));
  }
  const int answer = ::connect(probe.get(), generic(*address), sizeof *address);
  const int error = errno;
  if (answer != 0 && error == EACCES) {  // whether his process still lives cannot be seen
    return weir::fail(Code::invalid_state, fmt::format("user {} has the admin socket {}",
                                                       there.st_uid, printable(path_)));
  }
  if (answer == 0 || error == EAGAIN) {  // EAGAIN: so many want to be heard
    const auto peer = answer == 0 ? peer_of(probe.get()) : std::nullopt;
    if (!peer || is_alive(peer->pid)) {
      const std::string who = !peer                     ? "another process has"
                              : peer->pid == ::getpid() ? "other Pools of this process have"
                                                        : fmt::format("process {} has", peer->pid);
      return weir::fail(Code::invalid_state,
                        fmt::format("{} the admin socket {}", who, printable(path_)));
    }
  } else if (error == ENOENT) {  // it ended just now, and took its socket with it
    return {};
  } else if (error != ECONNREFUSED) {
    return fail(unusable(path_, cause(error)));
  }
  if (::unlink(path_.c_str()) == 0 || errno == ENOENT) return {};
  return fail(
      unusable(path_, "what another process left there cannot be removed: " + cause(errno)));
}

Result<void> AdminSocket::bind_path() {
  const auto address = address_of(path_);
  listener_ = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (listener_.get() < 0) {
    return weir::fail(Code::resource, "no descriptor for the admin socket: " + cause(errno));
  }
  if (::bind(listener_.get(), generic(*address), sizeof *address) != 0) {
    return fail(unusable(path_, cause(errno)));
  }
  // Before it listens nobody can connect, whatever mode the umask has left it.
  struct stat made {};
  if (::chmod(path_.c_str(), owner_only) != 0 || ::lstat(path_.c_str(), &made) != 0 ||
      ::listen(listener_.get(), backlog) != 0) {
    const Error error = unusable(path_, cause(errno));
    ::unlink(path_.c_str());
    return fail(error);
  }
  file_ = {made.st_dev, made.st_ino};
  return {};
}

AdminSocket::~AdminSocket() {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    // Ignored: it can only fail if the counter is full, and then it is readable.
    [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
    thread_.join();
  }
  struct stat there {};
  const bool ours = ::lstat(path_.c_str(), &there) == 0 &&
                    file_ == FileId{there.st_dev, there.st_ino} && listener_.get() >= 0;
  // Ignored: the next process removes what is left.
  if (ours) ::unlink(path_.c_str());
  all.remove(*this);
}

bool AdminSocket::is_on_own_thread() const noexcept {
  return answering_.load(std::memory_order_relaxed) == OsRuntime::thread_id();
}

// ---------------------------------------------------------------- lines

void AdminSocket::serve() noexcept {
  answering_.store(OsRuntime::thread_id(), std::memory_order_relaxed);
  for (bool more = true; more;) {
    try {
      more = turn();
    } catch (...) {
      clients_.clear();  // no memory to go on with them; they may come again
    }
  }
}

// Returns: false when it is over.
bool AdminSocket::turn() {
  std::vector<pollfd> polled{{wake_.get(), POLLIN, 0},
                             {resting_ ? -1 : listener_.get(), POLLIN, 0}};
  for (const Client& client : clients_) {
    const short wanted = client.owed.empty() ? POLLIN : POLLOUT;
    polled.push_back({client.socket.get(), wanted, 0});
  }
  const bool more = std::any_of(clients_.begin(), clients_.end(), has_request);
  const int ready = ::poll(polled.data(), polled.size(), more ? 0 : resting_ ? rest_ms : -1);
  resting_ = false;
  if (ready < 0) return true;  // a signal, or no memory for the moment
  if (polled[0].revents != 0) return false;
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    const bool wanted = polled[i + 2].revents != 0 || has_request(clients_[i]);
    if (wanted && !attend(clients_[i])) clients_[i].socket = Descriptor();
  }
  std::erase_if(clients_, [](const Client& client) { return client.socket.get() < 0; });
  if (polled[1].revents != 0) admit();
  return true;
}

void AdminSocket::admit() {
  Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket.get() < 0) {
    // The wish stays pending, and would be heard of at once, and again: that is a busy loop.
    resting_ = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    return;
  }
  const auto peer = peer_of(socket.get());
  const bool trusted = peer && (peer->uid == ::geteuid() || peer->uid == 0);
  Client client{std::move(socket), {}, {}, false};
  if (!trusted) {
    refuse(client, "only the user of this process, and root, are answered here");
  } else if (clients_.size() == clients_max) {
    refuse(client, fmt::format("there are {} clients already; end one", clients_max));
  }
  if (attend(client)) clients_.push_back(std::move(client));
}

void AdminSocket::refuse(Client& client, std::string why) {
  client.owed = admin_error({Code::invalid_state, std::move(why)}) + "\n";
  client.ending = true;
}

// One that is here as a whole, and whose turn it is: the answer before it has gone.
bool AdminSocket::has_request(const Client& client) {
  return client.owed.empty() && client.heard.find('\n') != std::string::npos;
}

// Hears, and answers one request: those of other clients come between it and the next.
// Returns: false when the client is done with.
bool AdminSocket::attend(Client& client) const {
  if (client.owed.empty() && !has_request(client) && !hear(client)) return false;
  if (client.owed.empty()) answer_one(client);
  if (!pay(client)) return false;
  return !client.owed.empty() || !client.ending;
}

void AdminSocket::answer_one(Client& client) const {
  const std::size_t end = client.heard.find('\n');
  if (std::min(end, client.heard.size()) > line_bytes_max) {
    refuse(client, fmt::format("a request has {} bytes at most", line_bytes_max));
  } else if (end != std::string::npos) {
    client.owed = answer_(std::string_view(client.heard).substr(0, end)) + "\n";
    client.heard.erase(0, end + 1);
  }
}

bool AdminSocket::hear(Client& client) {
  std::array<char, line_bytes_max> piece;
  const ssize_t got = ::recv(client.socket.get(), piece.data(), piece.size(), 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  client.heard.append(piece.data(), static_cast<std::size_t>(got));
  return got > 0;
}

bool AdminSocket::pay(Client& client) {
  while (!client.owed.empty()) {
    const ssize_t sent =
        ::send(client.socket.get(), client.owed.data(), client.owed.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN;
    client.owed.erase(0, static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace weir::runtime
