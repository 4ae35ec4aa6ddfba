// SPDX-License-Identifier: MIT
#include "cli/check/journal.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

namespace weir::check {
namespace {

template <std::size_t capacity>
struct Text {
  std::atomic<std::uint32_t> busy{0};  // a thread writes: another one's text is dropped
  std::atomic<std::uint32_t> size{0};
  std::array<char, capacity> bytes{};

  void set(std::string_view text) noexcept {
    if (busy.exchange(1, std::memory_order_acquire) != 0) return;
    const std::size_t fits = std::min(text.size(), bytes.size());
    size.store(0, std::memory_order_release);  // a reader never sees half of each
    std::memcpy(bytes.data(), text.data(), fits);
    size.store(static_cast<std::uint32_t>(fits), std::memory_order_release);
    busy.store(0, std::memory_order_release);
  }
  void append(std::string_view text) noexcept {
    const std::size_t used = std::min<std::size_t>(size.load(), bytes.size());
    const std::size_t fits = std::min(text.size(), bytes.size() - used);
    std::memcpy(bytes.data() + used, text.data(), fits);
    size.store(static_cast<std::uint32_t>(used + fits), std::memory_order_release);
  }
  [[nodiscard]] std::string get() const {
    return {bytes.data(), std::min<std::size_t>(size.load(), bytes.size())};
  }
};

}  // namespace

struct Journal::Page {
  std::atomic<std::uint32_t> claimed{0};  // a thread has the right to the verdict
  std::atomic<std::uint32_t> verdict{0};
  Text<512> step;
  Text<16384> text;
  Text<4096> notes;
};

Journal::Journal() : fd_(::memfd_create("weir-check-journal", MFD_CLOEXEC)) {
  if (fd_ < 0 || ::ftruncate(fd_, sizeof(Page)) != 0) {
    throw std::runtime_error("the system gives no memory file for a rule's journal");
  }
  map();
}

Journal::Journal(int fd) : fd_(fd) {
  map();
  ::close(fd_);
  fd_ = -1;
}

Journal::~Journal() {
  ::munmap(page_, sizeof(Page));
  if (fd_ >= 0) ::close(fd_);
}

void Journal::map() {
  void* at = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (at == MAP_FAILED) throw std::runtime_error("a rule's journal cannot be mapped");
  page_ = static_cast<Page*>(at);  // all-zero is a valid, empty page
}

void Journal::step(std::string_view what) noexcept { page_->step.set(what); }

void Journal::end(Verdict verdict, std::string_view text) noexcept {
  if (page_->claimed.exchange(1) != 0) {
    // Who comes second ends the process next, and must not do so before the first has written.
    while (page_->verdict.load(std::memory_order_acquire) == 0) std::this_thread::yield();
    return;
  }
  page_->text.set(text);
  page_->verdict.store(static_cast<std::uint32_t>(verdict), std::memory_order_release);
}

void Journal::note(std::string_view text) noexcept {
  page_->notes.append(text);
  page_->notes.append("\n");
}

Verdict Journal::verdict() const noexcept {
  const std::uint32_t value = page_->verdict.load(std::memory_order_acquire);
  return value <= static_cast<std::uint32_t>(Verdict::described) ? static_cast<Verdict>(value)
                                                                 : Verdict::none;
}
std::string Journal::step_text() const { return page_->step.get(); }
std::string Journal::text() const { return page_->text.get(); }
std::string Journal::notes() const { return page_->notes.get(); }

}  // namespace weir::check
