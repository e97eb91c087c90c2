// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"

#include <cppunit/TestAssert.h>

#include <string>

namespace waybill::storage::tests {

/// Runs `action`, which has to throw a Fault of that code, and returns it.
template <class Action> Fault expectFault(FaultCode code, Action action) {
  try {
    action();
  } catch (const Fault &fault) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(fault.what(), std::string(name(code)), std::string(name(fault.code())));
    CPPUNIT_ASSERT(!fault.reason().empty());
    return fault;
  }
  CPPUNIT_FAIL("a fault " + std::string(name(code)) + " was expected, and none came");
  throw; // not reached: CPPUNIT_FAIL throws
}

inline void expectMentions(const Fault &fault, const std::string &text) {
  CPPUNIT_ASSERT_MESSAGE(std::string(fault.what()) + " does not mention " + text,
                         std::string(fault.what()).find(text) != std::string::npos);
}

} // namespace waybill::storage::tests
