// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"

#include <cppunit/TestAssert.h>

#include <stdexcept>
#include <string>

namespace waybill::transport {

/// What `work` throws; fails when it throws nothing.
template <class Work> Fault faultOf(const Work &work) {
  try {
    work();
  } catch (const Fault &fault) {
    return fault;
  }
  throw std::runtime_error("no fault where one is due");
}

inline void assertMentions(const Fault &fault, const std::string &text) {
  CPPUNIT_ASSERT_MESSAGE(fault.reason() + " does not mention " + text, fault.reason().find(text) != std::string::npos);
}

} // namespace waybill::transport
