// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"
#include "soap/envelope.hpp"

#include <cppunit/TestAssert.h>

#include <string>
#include <string_view>

/// What the tests of envelopes, addressing, faults and schema have in common.
namespace waybill::soap::test {

inline std::string envelope(const char *space, std::string_view header, std::string_view body) {
  std::string text = std::string("<S:Envelope xmlns:S=\"") + space +
                     "\" xmlns:wsa=\"http://www.w3.org/2005/08/addressing\" xmlns:wb=\"urn:waybill:1\">";
  if (!header.empty()) {
    text += "<S:Header>" + std::string(header) + "</S:Header>";
  }
  return text + "<S:Body>" + std::string(body) + "</S:Body></S:Envelope>";
}

inline std::string envelope11(std::string_view header, std::string_view body = "<wb:List/>") {
  return envelope(soap11Namespace, header, body);
}
inline std::string envelope12(std::string_view header, std::string_view body = "<wb:List/>") {
  return envelope(soap12Namespace, header, body);
}

/// The Fault that `action` throws; a failure of the test when it throws none.
template <class Action> Fault faultOf(Action action) {
  try {
    action();
  } catch (const Fault &fault) {
    return fault;
  }
  CPPUNIT_FAIL("no fault was thrown");
  return Fault(FaultCode::Internal, "unreachable");
}

inline Fault parseFault(std::string_view xml, const Limits &limits = {}, std::string_view charset = {}) {
  return faultOf([&] { (void)Envelope::parse(xml, limits, charset); });
}

inline void assertCode(FaultCode expected, const Fault &fault) {
  CPPUNIT_ASSERT_EQUAL_MESSAGE(fault.what(), std::string(name(expected)), std::string(name(fault.code())));
}

inline void assertContains(std::string_view text, std::string_view part) {
  CPPUNIT_ASSERT_MESSAGE("'" + std::string(part) + "' is not in: " + std::string(text.substr(0, 2000)),
                         text.find(part) != std::string_view::npos);
}
inline void assertLacks(std::string_view text, std::string_view part) {
  CPPUNIT_ASSERT_MESSAGE("'" + std::string(part) + "' is in: " + std::string(text.substr(0, 2000)),
                         text.find(part) == std::string_view::npos);
}

inline std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  result.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) {
    result += text;
  }
  return result;
}

} // namespace waybill::soap::test
