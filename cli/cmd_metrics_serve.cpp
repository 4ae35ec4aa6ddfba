// SPDX-License-Identifier: MIT
//
// weir metrics --listen: the page for Prometheus over HTTP, for a program that serves none itself.
// Each scrape asks the program's socket. Listens on the loopback only: there is neither encryption
// nor a password, and putting that in front is a proxy's work.
//
// Threads: the server's, one client each, since a scrape must not wait for another one's answer.
#include "cli/admin_client.hpp"
#include "cli/columns.hpp"
#include "cli/command.hpp"
#include "core/base/text.hpp"

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <httplib.h>
#include <sys/socket.h>
#include <thread>

#include <fmt/format.h>

namespace weir::cli {
namespace {

constexpr const char* plain = "text/plain; charset=utf-8";
constexpr const char* prometheus = "text/plain; version=0.0.4";
constexpr const char* json = "application/json";
constexpr const char* what_there_is = "there are /metrics and /health\n";

struct Listen {
  std::string address;  // for bind
  std::string shown;    // for a URL
  int port = 0;
};

std::optional<int> port_of(std::string_view text) {
  unsigned port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stop != end || port > 65535) return std::nullopt;
  return static_cast<int>(port);
}

Result<Listen> parse_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  const std::string_view host =
      colon == std::string_view::npos ? "127.0.0.1" : text.substr(0, colon);
  const auto port = port_of(colon == std::string_view::npos ? text : text.substr(colon + 1));
  // By number, whatever the name may lead to here.
  if (host == "127.0.0.1" || host == "localhost") {
    if (port) return Listen{"127.0.0.1", "127.0.0.1", *port};
  } else if (host == "[::1]") {
    if (port) return Listen{"::1", "[::1]", *port};
  } else if (port) {
    return weir::fail(
        Code::invalid_argument,
        fmt::format("--listen is '{}', and '{}' is not this machine's loopback (127.0.0.1, [::1] "
                    "or localhost):\nthe page has neither encryption nor a password. Listen on the "
                    "loopback, and put a proxy\nin front that has both",
                    printable(text), printable(host)));
  }
  return weir::fail(Code::invalid_argument,
                    fmt::format("--listen is '{}', which is no ADDRESS:PORT such as "
                                "127.0.0.1:9187, and no port; port 0 is any that is free",
                                printable(text)));
}

void answer_metrics(AdminClient& client, httplib::Response& response) {
  const auto answer = client.ask("metrics");
  if (answer && answer->contains("page") && (*answer)["page"].is_string()) {
    response.set_content((*answer)["page"].get<std::string>(), prometheus);
    return;
  }
  response.status = 503;
  response.set_content(answer ? "the program's answer has no page\n" : answer.error().what(),
                       plain);
}

void answer_health(AdminClient& client, httplib::Response& response) {
  std::string status = "ready";
  Json answer;
  if (auto health = client.ask("health"); health) {
    for (const Json& pool : health->value("pools", Json::array())) {
      const std::string one = pool.value("status", "not_ready");
      if (one == "not_ready" || (one == "degraded" && status == "ready")) status = one;
    }
    answer = {{"status", status}, {"pools", health->value("pools", Json::array())}};
  } else {
    status = "unreachable";
    answer = {{"status", status}, {"error", to_json(health.error())}};
  }
  response.status = status == "not_ready" || status == "unreachable" ? 503 : 200;
  response.set_content(to_line(answer) + "\n", json);
}

void describe(httplib::Server& server, const AdminPlace& place, const StopEvent& stop) {
  // A client that sends a byte now and then has a thread for as long as it likes: the library
  // bounds the time between two bytes, not that of a request.
  constexpr std::size_t threads = 64;
  server.new_task_queue = [] { return new httplib::ThreadPool(threads); };  // the server deletes it
  // Its own default shares the port with whoever else shares it, and each gets half the requests.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    static_cast<void>(setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
  });
  server.set_payload_max_length(4096);
  // An idle connection has one of the threads, too.
  server.set_keep_alive_timeout(1);
  server.set_read_timeout(2);
  const auto get = [&](const char* path, auto answer) {
    server.Get(path, [place, &stop, answer](const httplib::Request&, httplib::Response& response) {
      AdminClient client(place, stop);
      answer(client, response);
    });
  };
  get("/metrics", answer_metrics);
  get("/health", answer_health);
  server.set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (response.status == 404) response.set_content(what_there_is, plain);
  });
}

int bind(httplib::Server& server, const Listen& listen) {
  errno = 0;
  if (listen.port == 0) return server.bind_to_any_port(listen.address);
  return server.bind_to_port(listen.address, listen.port) ? listen.port : -1;
}

int fail_to_bind(Context& context, const Listen& listen) {
  const int error = errno;
  std::string hint;
  if (error == EADDRINUSE) {
    hint = "\nAnother program has this port: choose another one, or 0 for any that is free";
  } else if (error == EACCES) {
    hint = "\nPorts below 1024 are for root: choose a higher one";
  }
  return context.fail(
      {Code::connect_failed,
       fmt::format("cannot listen on {}:{}: {}{}", listen.shown, listen.port,
                   error == 0 ? "the system refuses" : std::strerror(error), hint)});
}

}  // namespace

int serve_metrics(Context& context) {
  if (context.has("WHAT")) {
    return context.usage_error("--listen serves what a program measures, and takes no WHAT");
  }
  auto listen = parse_listen(context.text("--listen"));
  if (!listen) return context.usage_error(listen.error().message());
  auto place = admin_place(context);
  if (!place) return refuse_place(context, place.error());
  const StopEvent stop(context.interrupt);
  httplib::Server server;
  describe(server, *place, stop);
  const int port = bind(server, *listen);
  if (port < 0) return fail_to_bind(context, *listen);
  std::atomic<bool> ended = false;
  std::thread serving([&] {
    server.listen_after_bind();
    ended = true;
  });
  context.out.prose(fmt::format("weir: http://{}:{}/metrics and /health, of {}\n", listen->shown,
                                port, printable(place->path)));
  constexpr Duration look = std::chrono::milliseconds(250);
  while (!ended && !stop.wait(look)) {
  }
  // stop() of a server that has not begun yet is not heard.
  while (!ended && !server.is_running()) std::this_thread::yield();
  const bool by_itself = ended;
  server.stop();
  if (by_itself) {
    serving.join();
    return context.fail({Code::internal, "the server for HTTP has ended by itself"});
  }
  context.interrupt.settle();
  // The library waits for the clients that it hears, however long they take.
  constexpr int patience = 4;
  for (int i = 0; i < patience && !ended; ++i) std::this_thread::sleep_for(look);
  if (!ended) std::_Exit(exit_ok);
  serving.join();
  return exit_ok;
}

}  // namespace weir::cli
