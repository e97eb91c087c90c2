// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/clock.hpp"

#include <string>

namespace waybill::storage {

/// Lets the token ledger of the instance in `home` begin at the next whole second, which is returned: a catalog that
/// was restored from a backup does not know the tokens that were spent after it was made, so all that were issued
/// before are refused from then on. Throws Fault Busy when a daemon runs on that home (it would not notice), Internal
/// as openSqliteCatalog does, and when there is no catalog.
Time renewLedger(const std::string &home, const Clock &clock);

} // namespace waybill::storage
