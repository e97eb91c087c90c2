// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string_view>

namespace waybill::generated {

/// A file of wsdl/, as it was when the program was built.
struct ContractFile {
  std::string_view name; ///< without folder: "data.wsdl"
  std::string_view text;
};

/// All of them. They live as long as the program; any thread may read them.
[[nodiscard]] std::span<const ContractFile> contractFiles() noexcept;

} // namespace waybill::generated
