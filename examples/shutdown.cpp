// SPDX-License-Identifier: MIT
//
// A program that is told to end: its pools finish what is under way, then it ends as the signal
// says. Here it tells itself, so that the example ends.
#include <weir/weir.hpp>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <thread>

namespace {

using namespace std::chrono_literals;

volatile std::sig_atomic_t done = 0;

// The same pools wherever the program asks for them.
std::shared_ptr<weir::Pools> database() {
  return weir::or_throw(weir::Pools::shared("shutdown.toml"));
}

void work() {
  weir::Pool& db = (*database())["main"];
  auto lease = weir::or_throw(db.acquire());
  std::raise(SIGTERM);  // in the midst of it
  while (db.stats().state == "open") std::this_thread::sleep_for(1ms);
  std::puts(lease->execute("insert into log values ('finished')") ? "finished" : "cut off");
}

}  // namespace

int main() try {
  std::ofstream("shutdown.toml") << R"toml(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = "shutdown.db"
    log = []
    init_sql = ["create table if not exists log (what text)"]
  )toml";
  const auto pools = database();
  std::signal(SIGTERM, [](int) { done = 1; });  // called once the pools are drained
  const auto guard = weir::or_throw(weir::handle_signals(*pools));
  work();
  while (done == 0) std::this_thread::sleep_for(1ms);
  const auto late = (*pools)["main"].query("select 1");
  std::puts(late ? "open" : std::string(late.error().name()).c_str());
} catch (const weir::Exception& error) {
  return std::fputs(error.what(), stderr), error.error().exit_code();
}
