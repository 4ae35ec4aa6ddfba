// SPDX-License-Identifier: MIT
#include "cli/admin_client.hpp"

#include "cli/columns.hpp"
#include "core/base/duration_text.hpp"
#include "core/base/peer.hpp"
#include "core/base/text.hpp"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace weir::cli {
namespace {

constexpr int protocol = 1;
// Far more than the metrics of a thousand pools; a peer that is no Weir may send for ever.
constexpr std::size_t answer_bytes_max = std::size_t{64} << 20U;
// Answers are five deep. What is done with one afterwards recurses, and a stack has an end.
constexpr int answer_depth_max = 32;
constexpr std::size_t path_bytes_max = sizeof(sockaddr_un::sun_path) - 1;

Instant now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

std::string too_long(const AdminPlace& place) {
  return fmt::format(
      "{}: the path of the socket has {} bytes, and a socket's path can have {} at most: {}\n"
      "choose a shorter one, or give one that is relative to the working directory with --socket",
      place.from, place.path.size(), path_bytes_max, printable(place.path));
}

Result<AdminPlace> configured_place(const Context& context) {
  auto config = load_config(context);
  if (!config) {  // its secrets may be in the program's environment only
    return weir::fail(config.error().code(),
                      config.error().message() + "\nor name the program's socket with --socket");
  }
  if (config->admin.socket.empty()) {
    return weir::fail(Code::config_missing,
                      fmt::format("{} does not say where the program can be asked; write\n"
                                  "    [admin]\n"
                                  "    socket = \"weir.sock\"\n"
                                  "and start the program again, or name its socket with --socket",
                                  config->file));
  }
  return AdminPlace{config->admin.socket, fmt::format("[admin] socket of {}", config->file)};
}

std::string refused(const AdminPlace& place) {
  struct stat facts {};
  if (::stat(place.path.c_str(), &facts) == 0 && !S_ISSOCK(facts.st_mode)) {
    return "it is no socket; name the one that [admin] socket of the program's configuration has";
  }
  return "nobody listens there: it was left behind by a program that has ended.\n"
         "Start the program again; it takes the place over";
}

std::string why_not_connected(const AdminPlace& place, int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return "there is no such file. Is the program running? It opens the socket when it starts:\n"
             "start it again if [admin] socket was written since";
    case ECONNREFUSED:
      return refused(place);
    case EACCES:
    case EPERM:
      return "permission denied. The socket is open to the user alone that the program runs as\n"
             "(mode 0600): run this as that user, or as root";
    default:
      return std::strerror(error);
  }
}

// Discarded if it is no JSON, or deeper than any answer.
Json parsed(std::string_view line) {
  bool deep = false;
  const auto keep = [&](int depth, Json::parse_event_t, Json&) {
    deep = deep || depth > answer_depth_max;
    return !deep;
  };
  Json answer = Json::parse(line, keep, false);
  return deep ? Json(Json::value_t::discarded) : answer;
}

// What the program answered instead of what was asked for.
Error told(const Json& answer) {
  const Json error = answer["error"].is_object() ? answer["error"] : Json::object();
  const auto text = [&](const char* key) {
    const auto found = error.find(key);
    return found != error.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  for (const CodeInfo& known : all_codes()) {
    if (known.id == text("code")) return {known.code, printable(text("message"))};
  }
  // A code of a later version: its words say more than any of ours.
  return {Code::invalid_state, fmt::format("{} ({} {})", printable(text("message")),
                                           one_line(text("code")), one_line(text("name")))};
}

}  // namespace

Result<AdminPlace> admin_place(const Context& context) {
  auto timeout = duration(context, "--timeout", AdminPlace().timeout);
  if (!timeout) return tl::unexpected(timeout.error());
  const bool typed = context.has("--socket");
  auto place = typed ? Result<AdminPlace>(AdminPlace{context.text("--socket"), "--socket"})
                     : configured_place(context);
  if (!place) return place;
  place->timeout = *timeout;
  if (place->path.empty()) return weir::fail(Code::invalid_argument, "--socket is empty");
  if (place->path.size() > path_bytes_max) {
    return weir::fail(typed ? Code::invalid_argument : Code::config_value, too_long(*place));
  }
  return place;
}

int refuse_place(Context& context, const Error& error) {
  return error.code() == Code::invalid_argument ? context.usage_error(error.message())
                                                : context.fail(error);
}

Result<Json> AdminClient::ask(std::string_view request) {
  const Instant deadline = after(now(), place_.timeout);
  if (socket_ < 0) {
    if (auto connected = connect(deadline); !connected) {
      close();
      return tl::unexpected(connected.error());
    }
    if (auto known = greet(deadline); !known) {
      close();
      return tl::unexpected(known.error());
    }
  }
  return exchange(request, deadline);
}

Result<void> AdminClient::connect(Instant deadline) {
  socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ < 0) return weir::fail(no_answer(std::strerror(errno)));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, place_.path.data(), place_.path.size());
  while (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EAGAIN && errno != EINTR) {
      return weir::fail(no_answer(why_not_connected(place_, errno)));
    }
    // The queue of those who want to connect is full, and there is nothing to poll for.
    constexpr auto pause = std::chrono::milliseconds(20);
    if (now() >= deadline || stop_.wait(pause)) return weir::fail(silence(deadline));
  }
  return {};
}

// That it is a Weir of our protocol, before it is told to do anything.
Result<void> AdminClient::greet(Instant deadline) {
  auto hello = exchange("hello", deadline);
  if (!hello) return tl::unexpected(hello.error());
  const auto number = [&](const char* key) {
    const auto found = hello->find(key);
    return found != hello->end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
  };
  if (number("protocol") != protocol) {
    return weir::fail(no_answer(fmt::format(
        "what answers there does not speak protocol {}, but says\n    {}\n"
        "Use the weir command of the version that the program is linked with",
        protocol,
        cut(one_line(hello->dump(-1, ' ', false, Json::error_handler_t::replace)), 200))));
  }
  pid_ = number("pid");
  return {};
}

Result<Json> AdminClient::exchange(std::string_view request, Instant deadline) {
  auto line = send_line(request, deadline).and_then([&] { return read_line(deadline); });
  if (!line) {
    close();  // its answer may still come, and is nobody's
    return tl::unexpected(line.error());
  }
  Json answer = parsed(*line);
  if (!answer.is_object()) {
    close();
    return weir::fail(no_answer(
        fmt::format("what answers there is no Weir. It says\n    {}\n"
                    "Name the socket that [admin] socket of the program's configuration has",
                    cut(one_line(*line), 200))));
  }
  if (answer.contains("error")) return weir::fail(told(answer));
  return answer;
}

Result<void> AdminClient::send_line(std::string_view line, Instant deadline) {
  const std::string bytes = fmt::format("{}\n", line);
  for (std::string_view left = bytes; !left.empty();) {
    const ssize_t sent = ::send(socket_, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      left.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return {};  // who closes at once has said why, and that is still to be read
    } else if (errno == EAGAIN) {
      if (stop_.wait_for(socket_, POLLOUT, deadline - now()) == 0) {
        return weir::fail(silence(deadline));
      }
    } else if (errno != EINTR) {
      return weir::fail(no_answer(std::strerror(errno)));
    }
  }
  return {};
}

Result<std::string> AdminClient::read_line(Instant deadline) {
  std::size_t searched = 0;
  while (true) {
    if (const auto end = read_.find('\n', searched); end != std::string::npos) {
      std::string line = read_.substr(0, end);
      read_.erase(0, end + 1);
      return line;
    }
    searched = read_.size();
    if (searched > answer_bytes_max) return weir::fail(no_answer("its answer has no end"));
    if (now() >= deadline) return weir::fail(silence(deadline));
    char piece[16 * 1024];
    const ssize_t got = ::recv(socket_, piece, sizeof piece, 0);
    if (got > 0) {
      read_.append(piece, static_cast<std::size_t>(got));
    } else if (got == 0 || errno == ECONNRESET || errno == EPIPE) {
      return weir::fail(
          no_answer("the program closed the connection before it had answered.\n"
                    "It has ended, or is about to"));
    } else if (errno == EAGAIN) {
      if (stop_.wait_for(socket_, POLLIN, deadline - now()) == 0) {
        return weir::fail(silence(deadline));
      }
    } else if (errno != EINTR) {
      return weir::fail(no_answer(std::strerror(errno)));
    }
  }
}

Error AdminClient::no_answer(std::string_view reason) const {
  return {Code::connect_failed,
          fmt::format("no answer from {} ({}): {}", printable(place_.path), place_.from, reason)};
}

// After a wait that ended without what was waited for.
Error AdminClient::silence(Instant deadline) const {
  if (now() < deadline) return {Code::cancelled, "interrupted"};
  const std::string waited =
      fmt::format("it has not answered within {}", duration_text(place_.timeout));
  const auto listens = peer_of(socket_);
  if (!listens) {  // not even connected to
    return no_answer(waited +
                     ", and so many wait for it that it takes nobody more. The program may be\n"
                     "stopped, or has ended while a child of it keeps the socket open: if so, end "
                     "that, then\nstart the program again");
  }
  if (!is_alive(listens->pid)) {
    return no_answer(fmt::format(
        "{}. The program that listened there, process {}, has ended; a\n"
        "child of it keeps the socket open, and answers nobody. Start the program again; it takes "
        "the\nplace over",
        waited, listens->pid));
  }
  return no_answer(waited +
                   ". The program may be stopped, or short of processor\n"
                   "time; --timeout waits longer");
}

void AdminClient::close() {
  if (const int open = std::exchange(socket_, -1); open >= 0) ::close(open);
  read_.clear();
}

Result<Snapshot> take_snapshot(AdminClient& client) {
  auto stats = client.ask("stats");
  if (!stats) return tl::unexpected(stats.error());
  auto health = client.ask("health");
  if (!health) return tl::unexpected(health.error());
  return read_pools(*stats, *health).map([&](std::vector<PoolView> pools) {
    return Snapshot{client.pid(), std::move(pools)};
  });
}

}  // namespace weir::cli
