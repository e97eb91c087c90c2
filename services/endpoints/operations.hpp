// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "services/access_service.hpp"
#include "services/algorithms/algorithm_service.hpp"
#include "services/data_manager.hpp"
#include "services/endpoints/soap_endpoint.hpp"
#include "services/transfer_service.hpp"

#include <vector>

namespace waybill::services {

/// The operations of /services/data, /services/algorithms and /services/access: decode, call, encode. The services must
/// outlive them.
[[nodiscard]] std::vector<Operation> dataOperations(DataManager &manager, TransferService &transfers);
[[nodiscard]] std::vector<Operation> algorithmOperations(AlgorithmService &algorithms, TransferService &jobs);
[[nodiscard]] std::vector<Operation> accessOperations(AccessService &access);

} // namespace waybill::services
