// SPDX-License-Identifier: MIT
//
// Results: RowView (one row, borrowed), Rows (a whole result, owned), Executed (what a statement
// did). Rows owns everything it shows and outlives the lease; a RowView from a Stream is valid
// until the next step.
#pragma once

#include <weir/value.hpp>

#include <atomic>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>

namespace weir {

// The names of a result's columns. Shared by its rows, and by the results of one prepared
// statement.
struct Columns {
  std::vector<std::string> names;
  std::vector<std::string> types;  // the database's words; may be empty

  // Position of `name`, or npos. The first one if the name occurs twice.
  [[nodiscard]] WEIR_API std::size_t find(std::string_view name) const noexcept;
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
};

namespace detail {

[[nodiscard]] WEIR_API const std::shared_ptr<const Columns>& no_columns() noexcept;

// The memory of the last small result of a prepared statement that is gone, for the next one: so
// that query again and again allocates nothing. Threads: any, since results may be handed on.
class WEIR_API SpareMemory {
 public:
  SpareMemory() = default;
  SpareMemory(const SpareMemory&) = delete;
  SpareMemory& operator=(const SpareMemory&) = delete;
  ~SpareMemory();

 private:
  friend class ResultMemory;
  std::atomic<std::byte*> bytes_{nullptr};
};

struct SharedColumns : Columns {
  explicit SharedColumns(Columns columns) noexcept : Columns(std::move(columns)) {}
  mutable SpareMemory spare;
};

// Memory of one result.
class WEIR_API ResultMemory {
 public:
  ResultMemory() = default;
  // `spare` outlives it.
  ResultMemory(std::size_t size, SpareMemory& spare);
  ResultMemory(ResultMemory&& other) noexcept
      : bytes_(std::exchange(other.bytes_, nullptr)), spare_(other.spare_) {}
  ResultMemory& operator=(ResultMemory&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(spare_, other.spare_);
    return *this;
  }
  ~ResultMemory() {
    if (bytes_ != nullptr) give_up();
  }

  [[nodiscard]] std::byte* get() const noexcept;

 private:
  void give_up() noexcept;

  std::byte* bytes_ = nullptr;
  SpareMemory* spare_ = nullptr;
};

}  // namespace detail

class RowView {
 public:
  RowView(const weir_cell* cells, const Columns* columns) noexcept
      : cells_(cells), columns_(columns) {}

  [[nodiscard]] std::size_t size() const noexcept { return columns_->names.size(); }
  [[nodiscard]] const Columns& columns() const noexcept { return *columns_; }
  // Requires: column < size().
  [[nodiscard]] const weir_cell& cell(std::size_t column) const noexcept { return cells_[column]; }
  [[nodiscard]] std::span<const weir_cell> cells() const noexcept { return {cells_, size()}; }
  [[nodiscard]] bool is_null(std::size_t column) const noexcept {
    return column < size() && cells_[column].type == WEIR_T_NULL;
  }

  // The value as T: bool, any integer, float, double, std::string, std::vector<std::byte>;
  // std::string_view and std::span<const std::byte> borrow; std::optional<T> takes NULL.
  // Throws: weir::Exception (column_type) on NULL, on another type, on a value that does not fit,
  // and if there is no such column.
  template <class T>
  [[nodiscard]] T get(std::size_t column) const {
    return or_throw(try_get<T>(column));
  }
  template <class T>
  [[nodiscard]] T get(std::string_view column) const {
    return or_throw(try_get<T>(column));
  }

  // The same without exceptions.
  template <class T>
  [[nodiscard]] Result<T> try_get(std::size_t column) const {
    if (column >= size()) return fail(no_such_column(column));
    auto value = detail::from_cell<T>(cells_[column]);
    if (!value) return fail(wrong_type(column));
    return *std::move(value);
  }
  template <class T>
  [[nodiscard]] Result<T> try_get(std::string_view column) const {
    const std::size_t index = columns_->find(column);
    if (index == Columns::npos) return fail(no_such_column(column));
    return try_get<T>(index);
  }

 private:
  [[nodiscard]] WEIR_API Error no_such_column(std::size_t column) const;
  [[nodiscard]] WEIR_API Error no_such_column(std::string_view column) const;
  [[nodiscard]] WEIR_API Error wrong_type(std::size_t column) const;

  const weir_cell* cells_;
  const Columns* columns_;
};

class WEIR_API Rows {
 public:
  Rows() = default;
  explicit Rows(Columns columns)
      : Rows(std::make_shared<const detail::SharedColumns>(std::move(columns))) {}
  explicit Rows(std::shared_ptr<const detail::SharedColumns> columns) noexcept
      : columns_(std::move(columns)) {}
  // What was moved from is empty.
  Rows(Rows&& other) noexcept
      : columns_(std::move(other.columns_)),
        rows_(std::exchange(other.rows_, 0)),
        cells_(std::exchange(other.cells_, nullptr)),
        first_(std::move(other.first_)),
        all_(std::move(other.all_)),
        chunks_(std::move(other.chunks_)) {}
  Rows& operator=(Rows&& other) noexcept {
    Rows taken(std::move(other));
    columns_.swap(taken.columns_);
    std::swap(rows_, taken.rows_);
    std::swap(cells_, taken.cells_);
    std::swap(first_, taken.first_);
    all_.swap(taken.all_);
    chunks_.swap(taken.chunks_);
    return *this;
  }

  // Copies the rows of a batch. Requires: batch.columns == columns().names.size().
  void append(const weir_batch& batch);

  [[nodiscard]] std::size_t size() const noexcept { return rows_; }
  [[nodiscard]] bool empty() const noexcept { return rows_ == 0; }
  [[nodiscard]] const Columns& columns() const noexcept {
    return columns_ ? static_cast<const Columns&>(*columns_) : *detail::no_columns();
  }
  // Requires: row < size().
  [[nodiscard]] RowView operator[](std::size_t row) const noexcept {
    return RowView(cells_ + row * width(), &columns());
  }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = RowView;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = RowView;
    Iterator() noexcept = default;
    Iterator(const Rows* rows, std::size_t at) noexcept : rows_(rows), at_(at) {}
    RowView operator*() const noexcept { return (*rows_)[at_]; }
    Iterator& operator++() noexcept { return ++at_, *this; }
    Iterator operator++(int) noexcept { return Iterator(rows_, at_++); }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const Rows* rows_ = nullptr;
    std::size_t at_ = 0;
  };
  [[nodiscard]] Iterator begin() const noexcept { return Iterator(this, 0); }
  [[nodiscard]] Iterator end() const noexcept { return Iterator(this, rows_); }

 private:
  [[nodiscard]] std::size_t width() const noexcept { return columns().names.size(); }

  [[nodiscard]] std::byte* make_room(const weir_batch& batch, std::size_t bytes);

  std::shared_ptr<const detail::SharedColumns> columns_;  // null: none
  std::size_t rows_ = 0;
  weir_cell* cells_ = nullptr;  // rows_ * width()
  // What they are in, and what their text and blobs are in. Most results are one batch.
  detail::ResultMemory first_;                        // of the first batch, cells and then bytes
  std::vector<weir_cell> all_;                        // the cells of all batches, if there are more
  std::vector<std::unique_ptr<std::byte[]>> chunks_;  // the bytes of the others
};

// What a statement that returns no rows did.
struct Executed {
  std::optional<std::uint64_t> affected;  // rows inserted, changed or deleted, where known
  std::optional<std::int64_t> last_id;    // the last generated key, where known
};

}  // namespace weir
