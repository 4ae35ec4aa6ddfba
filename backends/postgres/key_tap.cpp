// SPDX-License-Identifier: MIT
#include "backends/postgres/key_tap.hpp"

#include <charconv>
#include <cstring>
#include <string.h>
#include <sys/types.h>

namespace weir::postgres {

KeyTap::KeyTap(PGconn* pg) noexcept : pg_(pg) {
  cookie_io_functions_t io{};
  io.write = [](void* self, const char* bytes, std::size_t size) -> ssize_t {
    static_cast<KeyTap*>(self)->take(bytes, size);
    return static_cast<ssize_t>(size);
  };
  file_ = ::fopencookie(this, "w", io);
  if (file_ == nullptr) return;  // no memory: a session that cannot be cancelled by itself
  std::setvbuf(file_, nullptr, _IONBF, 0);
  PQtrace(pg, file_);
}

KeyTap::~KeyTap() {
  if (file_ == nullptr) return;
  PQuntrace(pg_);
  // Nothing is written out: the stream has no buffer.
  static_cast<void>(std::fclose(file_));
  ::explicit_bzero(line_, sizeof line_);
}

void KeyTap::take(const char* bytes, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) {
    if (bytes[i] == '\n') {
      end_line();
    } else if (size_ < sizeof line_) {
      line_[size_++] = bytes[i];
    }
  }
}

// ... B <tab> 12 <tab> BackendKeyData <tab> process secret
void KeyTap::end_line() noexcept {
  const std::string_view line(line_, size_);
  constexpr std::string_view name = "\tBackendKeyData\t";
  const std::size_t at = line.find(name);
  const bool whole = line.find("\t12\t") < at && at != std::string_view::npos;
  if (whole) {
    CancelKey key{};
    const char* from = line.data() + at + name.size();
    const char* const end = line.data() + line.size();
    while (from != end && *from == ' ') ++from;
    const auto process = std::from_chars(from, end, key.process);
    from = process.ptr;
    while (from != end && *from == ' ') ++from;
    const auto secret = std::from_chars(from, end, key.secret);
    if (process.ec == std::errc{} && secret.ec == std::errc{} && secret.ptr == end) key_ = key;
  }
  ::explicit_bzero(line_, sizeof line_);
  size_ = 0;
}

}  // namespace weir::postgres
