// SPDX-License-Identifier: MIT
//
// A host for the tests of the commands that ask a running program: opens the pools of a file and
// does to the first of them what the lines of its standard input say, each answered by one line.
//
//   hold N    takes N connections and keeps them      release  gives all of them back
//   query N   asks N times                            miss     asks for one more in vain
//   quit      ends in order, as does the end of the input
#include <weir/weir.hpp>

#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

class Host {
 public:
  explicit Host(weir::Pool& pool) : pool_(pool) {}

  // Returns: what it did.
  std::string obey(const std::string& verb, int count) {
    if (verb == "hold") return hold(count);
    if (verb == "query") return query(count);
    if (verb == "miss") return miss();
    if (verb == "release") {
      held_.clear();
      return "released";
    }
    return "unknown: " + verb;
  }

 private:
  std::string hold(int count) {
    for (int i = 0; i < count; ++i) {
      auto lease = pool_.acquire({.tag = "held"});
      if (!lease) return lease.error().message();
      held_.push_back(std::move(*lease));
    }
    return "held";
  }
  std::string query(int count) {
    for (int i = 0; i < count; ++i) {
      if (auto rows = pool_.query("select 1"); !rows) return rows.error().message();
    }
    return "asked";
  }
  std::string miss() {
    const auto lease = pool_.acquire({.timeout = std::chrono::milliseconds(20)});
    return lease ? "there was one" : std::string(lease.error().name());
  }

  weir::Pool& pool_;
  std::vector<weir::Lease> held_;
};

}  // namespace

int main(int argc, char** argv) try {
  const auto pools = weir::or_throw(weir::Pools::from_file(argc > 1 ? argv[1] : "weir.toml"));
  Host host(pools[pools.names().front()]);
  say("ready");
  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    std::istringstream words(line);
    std::string verb;
    int count = 1;
    words >> verb >> count;
    say(host.obey(verb, count));
  }
  return 0;
} catch (const weir::Exception& error) {
  return std::fputs(error.what(), stderr), error.error().exit_code();
}
