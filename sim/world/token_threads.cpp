// SPDX-License-Identifier: MIT
//
// Contexts on OS threads, of which the one that holds the token runs: slow, but a debugger shows
// each with its stack, and sanitizers need not be told anything.
//
// The token is POSIX's semaphore and not std's: that one yields while it waits, which is one of the
// calls that the tripwire looks at, and a thread left behind may outlive the world it would ask.
#include "sim/world/context.hpp"

#include <cerrno>
#include <semaphore.h>
#include <thread>

namespace weir::sim {
namespace {

class Token {
 public:
  Token() noexcept { ::sem_init(&semaphore_, /*shared=*/0, 0); }
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  ~Token() { ::sem_destroy(&semaphore_); }
  void release() noexcept { ::sem_post(&semaphore_); }
  void acquire() noexcept {
    while (::sem_wait(&semaphore_) == -1 && errno == EINTR) {
    }
  }

 private:
  sem_t semaphore_;
};

class TokenThread final : public Context {
 public:
  TokenThread() = default;  // the outside
  TokenThread(Contexts::Entry entry, void* argument)
      : thread([this, entry, argument] {
          token.acquire();
          entry(argument);
        }) {}
  ~TokenThread() override {
    if (thread.joinable()) thread.join();  // its last act was to give the token away
  }

  Token token;
  std::thread thread;
};

class TokenThreads final : public Contexts {
 public:
  Context& outside() noexcept override { return outside_; }
  std::unique_ptr<Context> make(Entry entry, void* argument) override {
    return std::make_unique<TokenThread>(entry, argument);
  }
  void switch_to(Context& from, Context& to, bool ends) noexcept override {
    static_cast<TokenThread&>(to).token.release();
    if (!ends) static_cast<TokenThread&>(from).token.acquire();
  }
  void leave_behind(std::unique_ptr<Context> context) noexcept override {
    // It waits for a token that nobody will give.
    static_cast<TokenThread&>(*context).thread.detach();
    static_cast<void>(context.release());
  }

 private:
  TokenThread outside_;
};

}  // namespace

std::unique_ptr<Contexts> make_token_threads();
std::unique_ptr<Contexts> make_token_threads() { return std::make_unique<TokenThreads>(); }

}  // namespace weir::sim
