// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace waybill::soap {

/// The WSDL and schemas of wsdl/, built into the program, as they are served.
///
/// `service` is the last segment of the endpoint's path ("data", "access"); `endpoint` its whole URL as the client
/// asked for it
/// ("https://host:port/services/data"). The result has that address in its ports and absolute imports
/// ("<endpoint>?xsd=name.xsd"). `soap11Only` leaves out the SOAP 1.2 binding and port (Axis 1.4). Nothing for an
/// unknown service.
[[nodiscard]] std::optional<std::string> servedWsdl(std::string_view service, std::string_view endpoint,
                                                    bool soap11Only);

/// The schema of that file name, its imports made absolute likewise; nothing when there is none.
[[nodiscard]] std::optional<std::string> servedSchema(std::string_view name, std::string_view endpoint);

/// The bytes of a file of wsdl/ as it is in the source tree; nothing when there is none.
[[nodiscard]] std::optional<std::string_view> contractFile(std::string_view name);

} // namespace waybill::soap
