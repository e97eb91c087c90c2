// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/catalog.hpp"
#include "storage/content_store.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace waybill::storage {

/// What recover() found.
struct Recovery {
  std::size_t contentRemoved = 0; ///< files that no row named
  std::size_t rowsRemoved = 0;    ///< objects whose content was missing, or of another size
};

/// Refuses a catalog and content that do not belong together, before recover() takes what one does not know of for a
/// crash's leftover. Both carry one mark (setting "store.mark", file content/mark), which they are given here the first
/// time. Throws Fault BadParameter, having removed nothing, when the marks differ or one has none and has data on one
/// side alone to vouch for it: then the catalog is new, empty, foreign, or of another time, or the content is not
/// there. A store whose mark was taken away by hand is believed to belong to a catalog that knows objects.
void matchContent(Catalog &catalog, ContentStore &store, const std::function<std::string()> &makeId);

/// Brings the two together as after a crash: content that no row names goes, and so do rows whose content is missing or
/// of another size (`lost` is told of each, with the size that was found). One walk beside one ordered scan. Call
/// before serving, after matchContent().
Recovery recover(Catalog &catalog, ContentStore &store,
                 const std::function<void(const ObjectRow &row, std::optional<std::uint64_t> found)> &lost);

} // namespace waybill::storage
