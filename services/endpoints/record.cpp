// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/endpoints/record.hpp"

namespace waybill::services {

void writeDown(const Log &log, Audit &audit, const AuditRecord &record, const std::string &cause) noexcept {
  audit.write(record);
  log.info("operation", {{"operation", record.operation},
                         {"outcome", record.outcome},
                         {"principal", record.principal},
                         {"message_id", record.messageId},
                         {"remote", record.remote},
                         {"microseconds", std::int64_t{record.took.count()}},
                         {"reason", record.reason},
                         {"undelivered", record.undelivered},
                         {"cause", cause}});
}

} // namespace waybill::services
