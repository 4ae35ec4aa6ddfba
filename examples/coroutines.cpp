// SPDX-License-Identifier: MIT
//
// Coroutines on an event loop of one thread: a hundred requests wait for two connections, and none
// of them blocks the loop.
#include <weir/weir.hpp>

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <queue>

// The loop that a program has already: all that Weir wants of it is post().
struct Loop final : weir::Executor {
  void post(weir::Work work) override {
    const std::lock_guard lock(mutex);
    queue.push(std::move(work));
    came.notify_one();
  }
  void run_one() {
    std::unique_lock lock(mutex);
    came.wait(lock, [&] { return !queue.empty(); });
    const weir::Work work = std::move(queue.front());
    queue.pop();
    lock.unlock();
    work();
  }

  std::mutex mutex;
  std::condition_variable came;
  std::queue<weir::Work> queue;
};

struct Detached {  // a coroutine that nobody waits for
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

static Detached request(weir::Pool& db, Loop& loop, int n, int* sum, int* running) {
  auto rows = co_await db.async_query(loop, "select ? * 2", n);
  if (rows) *sum += (*rows)[0].get<int>(0);
  --*running;
}

int main() {
  auto pools = weir::Pools::from_string(
      "version = 1\npool.main = {driver = 'sqlite', url = 'coroutines.db', max = 2, log = []}\n");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();
  Loop loop;
  int sum = 0, running = 100;
  for (int n = 1; n <= 100; ++n) request((*pools)["main"], loop, n, &sum, &running);
  while (running > 0) loop.run_one();
  std::printf("%d\n", sum);
}
