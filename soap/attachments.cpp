// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/attachments.hpp"

#include "domain/fault.hpp"

#include <algorithm>

namespace waybill::soap {

std::unique_ptr<Source> SpoolFile::reopenAt(std::uint64_t offset) {
  auto source = reopen();
  Bytes block(static_cast<std::size_t>(std::min<std::uint64_t>(offset, copyBlock)));
  while (offset > 0) {
    const auto count =
        source->read(std::span(block).first(static_cast<std::size_t>(std::min<std::uint64_t>(offset, block.size()))));
    if (count == 0) {
      throw Fault(FaultCode::Internal, "a spool file of this instance is shorter than what was written to it");
    }
    offset -= count;
  }
  return source;
}

} // namespace waybill::soap
