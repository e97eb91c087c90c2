// SPDX-License-Identifier: GPL-3.0-or-later
// The header blocks that say what becomes of a delivery: wb:Onward and wb:Overwrite (wsdl/common.xsd).
#include "soap/envelope_state.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

namespace waybill::soap {

namespace {

[[noreturn]] void refuse(const xmlNode *block, const std::string &header, const std::string &what) {
  throw Fault(FaultCode::InvalidMessage,
              "the header " + header + " " + what + " (line " + std::to_string(xml::lineOf(block)) + " of the message)",
              header);
}

Onward::Send sendOf(const xmlNode *block) {
  const auto text = xml::attribute(block, waybillNamespace, "send").value_or("Receipt");
  const auto name = trimmed(text);
  if (name == "Receipt") {
    return Onward::Send::Receipt;
  }
  if (name == "Data") {
    return Onward::Send::Data;
  }
  refuse(block, "wb:Onward", "says wb:send='" + printable(name, 60) + "'; it may say Receipt or Data");
}

} // namespace

std::optional<Onward> Envelope::onward() const {
  const auto *block = state_->onlyHeader(waybillNamespace, "Onward");
  if (block == nullptr) {
    return std::nullopt;
  }
  return Onward{endpointReference(block, state_->limits), sendOf(block)};
}

std::optional<Overwrite> Envelope::overwrite() const {
  const auto *block = state_->onlyHeader(waybillNamespace, "Overwrite");
  if (block == nullptr) {
    return std::nullopt;
  }
  const auto text = xml::plainText(block).value_or("");
  if (text == "Never") {
    return Overwrite::Never;
  }
  if (text == "Always") {
    return Overwrite::Always;
  }
  if (text == "IfDifferent") {
    return Overwrite::IfDifferent;
  }
  refuse(block, "wb:Overwrite", "is '" + printable(text, 60) + "'; it may be Never, Always or IfDifferent");
}

} // namespace waybill::soap
