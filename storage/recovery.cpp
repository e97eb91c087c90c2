// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/recovery.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <vector>

namespace waybill::storage {

namespace {

constexpr auto markSetting = "store.mark";
constexpr std::size_t rowsAtOnce = 1000;

/// All rows, in the order of their ids, a page at a time.
class RowsById {
public:
  explicit RowsById(const Catalog &catalog) : catalog_(catalog) {}

  /// Null at the end.
  const ObjectRow *current() {
    if (next_ == page_.size() && !ended_) {
      page_ = catalog_.objects(page_.empty() ? std::string() : page_.back().id, rowsAtOnce);
      next_ = 0;
      ended_ = page_.empty();
    }
    return ended_ ? nullptr : &page_[next_];
  }
  void advance() { ++next_; }

private:
  const Catalog &catalog_;
  std::vector<ObjectRow> page_;
  std::size_t next_ = 0;
  bool ended_ = false;
};

/// Removes rows, many in one commit.
class RowRemover {
public:
  explicit RowRemover(Catalog &catalog) : catalog_(catalog) {}

  void remove(const std::string &id) {
    ids_.push_back(id);
    if (ids_.size() == rowsAtOnce) {
      finish();
    }
  }
  void finish() {
    if (ids_.empty()) {
      return;
    }
    catalog_.commit(Durability::Durable, [this](Transaction &transaction) {
      for (const auto &id : ids_) {
        transaction.removeObject(id);
      }
    });
    ids_.clear();
  }

private:
  Catalog &catalog_;
  std::vector<std::string> ids_;
};

[[noreturn]] void refuse(const std::string &found, const std::string &hint) {
  throw Fault(FaultCode::BadParameter, "the instance was not started, and nothing was changed: " + found + "; " + hint);
}

constexpr auto restoreCatalog = "restore the catalog.sqlite that belongs to content/ (docs/operations.md); or, to give "
                                "the content up, move the folder content/ away";

[[noreturn]] void refuseContent(const std::string &mark) {
  refuse("the catalog knows objects, and the folder content/ holds none",
         "put the content back (is its disk mounted?); or, to give up all objects but keep keys and grants, write the "
         "line '" +
             mark + "' into the file content/mark");
}

} // namespace

void matchContent(Catalog &catalog, ContentStore &store, const std::function<std::string()> &makeId) {
  const auto ofCatalog = catalog.setting(markSetting);
  const auto ofStore = store.mark();
  if (ofCatalog && ofCatalog == ofStore) {
    return;
  }
  const auto hasRows = !catalog.objects("", 1).empty();
  const auto hasContent = !store.isEmpty();
  if (hasContent && !hasRows) {
    refuse("there is content, and the catalog knows no object (was it missing, and made anew by this start?)",
           restoreCatalog);
  }
  if (hasContent && ofStore) {
    refuse("the catalog is not the one of the content: its mark is " +
               (ofCatalog ? printable(*ofCatalog, 60) : "missing") + ", that of content/ is " + printable(*ofStore, 60),
           std::string(restoreCatalog) +
               "; or, if you are sure that the two belong together, remove the file content/mark");
  }
  const auto mark = ofCatalog ? *ofCatalog : makeId();
  if (!ofCatalog) {
    catalog.commit(Durability::Durable, [&](Transaction &transaction) { transaction.putSetting(markSetting, mark); });
  }
  if (hasRows && !hasContent) {
    refuseContent(mark);
  }
  store.putMark(mark);
}

Recovery recover(Catalog &catalog, ContentStore &store,
                 const std::function<void(const ObjectRow &row, std::optional<std::uint64_t> found)> &lost) {
  Recovery result;
  RowsById rows(catalog);
  RowRemover remover(catalog);
  const auto lose = [&](const ObjectRow &row, std::optional<std::uint64_t> found) {
    lost(row, found);
    remover.remove(row.id);
    ++result.rowsRemoved;
    rows.advance();
  };
  result.contentRemoved = store.recover([&](const std::string &id, std::uint64_t size) {
    const auto *row = rows.current();
    for (; row != nullptr && row->id < id; row = rows.current()) {
      lose(*row, std::nullopt);
    }
    if (row == nullptr || row->id != id) {
      return false;
    }
    if (row->size != size) {
      lose(*row, size);
      return false;
    }
    rows.advance();
    return true;
  });
  while (const auto *row = rows.current()) {
    lose(*row, std::nullopt);
  }
  remover.finish();
  return result;
}

} // namespace waybill::storage
