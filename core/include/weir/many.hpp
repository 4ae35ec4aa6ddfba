// SPDX-License-Identifier: MIT
//
// Many rows at once: what Connection::insert_many and execute_many take and answer, and how a range
// becomes cells. docs/batches.md is the page about them.
//
// A row is a std::tuple, std::pair or std::array of what may be a parameter (weir/value.hpp), or,
// where the number of its values is known at run time only, a RowView or a range of weir_cell. The
// range may be read once (an input range); it is read in chunks and never held as a whole.
//
// Lifetime: rows that the range makes on the fly are kept while their chunk is under way, and rows
//           that it only refers to are borrowed. What a row itself points to (std::string_view,
//           const char*, Blob) has to stay until the call returns.
// Throws:   what the range throws goes through, after what was begun has been undone.
#pragma once

#include <weir/rows.hpp>

#include <deque>
#include <ranges>
#include <tuple>

namespace weir {

// What becomes of a row that some unique constraint forbids beside one that is there already. All
// other failures (a missing value, a foreign key, a check) are errors in each case.
enum class OnConflict : std::uint8_t {
  fail,    // an error, Code::constraint
  skip,    // the row is passed over
  update,  // the row with the same key gets the new one's other values
};

struct InsertOptions {
  OnConflict on_conflict = OnConflict::fail;
  // For update: the columns of the unique constraint that is meant. MySQL cannot be told which, and
  // takes a row for the same by any of them.
  std::vector<std::string_view> key = {};
  // All rows or none. If false, each chunk is a transaction of its own, and those before an error
  // stay. Without meaning in an open transaction, which the rows become a part of, all or none.
  bool one_transaction = true;
  // Rows that are read from the range and handed over at once, at most; 0: 8000, or
  // what suits the driver better. A chunk also ends
  // at 4 MiB. No number is too high: the driver splits a chunk where its database has to.
  std::uint32_t chunk_rows = 0;
};

// What insert_many did. stored + skipped is the number of rows of the range.
struct Inserted {
  std::uint64_t stored = 0;   // rows that are in the table: new, or in the place of another
  std::uint64_t skipped = 0;  // with OnConflict::skip
};

// What execute_many did.
struct ExecutedMany {
  std::uint64_t rows = 0;      // of the range: so often the statement ran
  std::uint64_t affected = 0;  // rows inserted, changed or deleted, all together
};

namespace detail {

// Rows as cells, chunk by chunk: what the runtime sees of a range. Lives on the stack of one call.
class RowSource {
 public:
  RowSource(const RowSource&) = delete;
  RowSource& operator=(const RowSource&) = delete;
  virtual ~RowSource() = default;

  // Whether the range has no further row.
  [[nodiscard]] virtual bool at_end() const = 0;
  // Replaces the chunk by the next rows, no more than that. Ends before a row whose number of
  // values is not width().
  virtual void pull(std::uint64_t rows_max) = 0;

  [[nodiscard]] std::span<const weir_cell> cells() const noexcept { return cells_; }
  [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
  // Values of a row; 0 until the first one has told, if rows tell.
  [[nodiscard]] std::size_t width() const noexcept { return width_; }
  void set_width(std::size_t width) noexcept {
    width_ = width;
    width_is_known_ = true;
  }
  // The number of values of the row before which the chunk ended.
  [[nodiscard]] std::optional<std::size_t> misfit() const noexcept { return misfit_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 protected:
  static constexpr std::uint64_t chunk_bytes_max = std::uint64_t{4} << 20U;

  explicit RowSource(std::size_t width) noexcept : width_(width), width_is_known_(width > 0) {}
  void clear() noexcept {
    cells_.clear();
    rows_ = bytes_ = 0;
  }
  void add(const weir_cell& cell) {
    cells_.push_back(cell);
    bytes_ += sizeof cell + (has_bytes(cell) ? cell.size : 0);
  }
  [[nodiscard]] bool has_room(std::uint64_t rows_max) const noexcept {
    return rows_ < rows_max && bytes_ < chunk_bytes_max && !misfit_;
  }

  std::vector<weir_cell> cells_;
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
  std::size_t width_ = 0;
  bool width_is_known_ = false;  // a row may have no values, and then the others have none
  std::optional<std::size_t> misfit_;
};

template <class T>
concept TupleRow = requires {
  std::tuple_size<std::remove_cvref_t<T>>::value;
};
template <class T>
concept CellRow = !TupleRow<T> && std::ranges::input_range<T> &&
                  std::same_as<std::remove_cvref_t<std::ranges::range_reference_t<T>>, weir_cell>;
template <class T>
concept AnyRow = TupleRow<T> || CellRow<T> || std::same_as<std::remove_cvref_t<T>, RowView>;

// A range whose elements are rows.
template <class R>
concept RowRange = std::ranges::input_range<R> && AnyRow<std::ranges::range_reference_t<R>>;

// Values of each row, 0 if rows tell.
template <RowRange R>
constexpr std::size_t row_width() {
  using Row = std::remove_cvref_t<std::ranges::range_reference_t<R>>;
  if constexpr (TupleRow<Row>) {
    return std::tuple_size_v<Row>;
  } else {
    return 0;
  }
}

// Whether a row has no values by its type: a statement can run for such, a table cannot take them.
template <RowRange R>
constexpr bool rows_are_empty() {
  using Row = std::remove_cvref_t<std::ranges::range_reference_t<R>>;
  return TupleRow<Row> && row_width<R>() == 0;
}

template <RowRange R>
class RangeRows final : public RowSource {
  using Reference = std::ranges::range_reference_t<R>;
  // Rows that stay where they are until the chunk is through. What a range of a single pass refers
  // to may be overwritten by the next step.
  static constexpr bool borrows =
      std::ranges::forward_range<R> && std::is_lvalue_reference_v<Reference>;
  using Kept = std::conditional_t<std::ranges::forward_range<R>, std::remove_cvref_t<Reference>,
                                  std::ranges::range_value_t<R>>;
  // A row that is made where it is kept: moving it there would take as long as making it.
  struct Held {
    explicit Held(std::ranges::iterator_t<R>& at) : row(*at) {}
    Kept row;
  };

 public:
  explicit RangeRows(R& range)
      : RowSource(row_width<R>()), at_(std::ranges::begin(range)), end_(std::ranges::end(range)) {}

  [[nodiscard]] bool at_end() const override { return at_ == end_; }

  void pull(std::uint64_t rows_max) override {
    clear();
    kept_.clear();
    for (; has_room(rows_max) && at_ != end_; ++at_) {
      if constexpr (borrows) {
        if (!add_row(*at_)) return;
      } else {
        if (!add_row(kept_.emplace_back(at_).row)) return;
      }
    }
  }

 private:
  template <class Row>
  bool add_row(const Row& row) {
    if constexpr (TupleRow<Row>) {
      std::apply([this](const auto&... values) { (add(to_cell(values)), ...); }, row);
    } else {
      const auto size = static_cast<std::size_t>(std::ranges::distance(cells_of(row)));
      if (!width_is_known_) set_width(size);
      if (size != width_) {
        misfit_ = size;
        return false;
      }
      for (const weir_cell& cell : cells_of(row)) add(cell);
    }
    ++rows_;
    return true;
  }
  template <class Row>
  static decltype(auto) cells_of(const Row& row) {
    if constexpr (std::same_as<Row, RowView>) {
      return row.cells();
    } else {
      return (row);
    }
  }

  std::ranges::iterator_t<R> at_;
  std::ranges::sentinel_t<R> end_;
  std::deque<Held> kept_;  // a deque, because cells point into it while it grows
};

}  // namespace detail
}  // namespace weir
