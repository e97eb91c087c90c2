// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/fault.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <set>
#include <type_traits>

namespace {

using namespace waybill;

constexpr auto codeCount = static_cast<int>(FaultCode::MustUnderstand) + 1;

class FaultTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FaultTest);
  CPPUNIT_TEST(everyCodeHasANameOfItsOwn);
  CPPUNIT_TEST(unknownNamesBecomeInternal);
  CPPUNIT_TEST(theContractsNamesAreThere);
  CPPUNIT_TEST(sidesAreAsTheContractSays);
  CPPUNIT_TEST(faultsKeepWhatTheyAreGiven);
  CPPUNIT_TEST(whatNamesCodeReasonAndSubject);
  CPPUNIT_TEST(logTextIsNoString);
  CPPUNIT_TEST_SUITE_END();

public:
  void everyCodeHasANameOfItsOwn() {
    std::set<std::string_view> names;
    for (int i = 0; i < codeCount; ++i) {
      const auto code = static_cast<FaultCode>(i);
      CPPUNIT_ASSERT(names.insert(name(code)).second);
      CPPUNIT_ASSERT(faultCodeNamed(name(code)) == code);
    }
  }

  void unknownNamesBecomeInternal() {
    CPPUNIT_ASSERT(faultCodeNamed("FromTheFuture") == FaultCode::Internal);
    CPPUNIT_ASSERT(faultCodeNamed("") == FaultCode::Internal);
    CPPUNIT_ASSERT(faultCodeNamed("nosuchdata") == FaultCode::Internal);
  }

  void theContractsNamesAreThere() {
    CPPUNIT_ASSERT_EQUAL(std::string_view("TokenReplayed"), name(FaultCode::TokenReplayed));
    CPPUNIT_ASSERT_EQUAL(std::string_view("UnresolvableData"), name(FaultCode::UnresolvableData));
    // WS-Addressing 1.0 SOAP Binding, section 6.4.1, abbreviates.
    CPPUNIT_ASSERT_EQUAL(std::string_view("MissingAddressInEPR"), name(FaultCode::MissingAddressInEndpointReference));
    CPPUNIT_ASSERT_EQUAL(std::string_view("InvalidEPR"), name(FaultCode::InvalidEndpointReference));
    CPPUNIT_ASSERT_EQUAL(std::string_view("DuplicateMessageID"), name(FaultCode::DuplicateMessageId));
  }

  void sidesAreAsTheContractSays() {
    for (const auto code : {FaultCode::AlgorithmFailed, FaultCode::DeliveryFailed, FaultCode::NoSpace, FaultCode::Busy,
                            FaultCode::Internal, FaultCode::EndpointUnavailable}) {
      CPPUNIT_ASSERT(!isSenders(code));
    }
    int senders = 0;
    for (int i = 0; i < codeCount; ++i) {
      senders += isSenders(static_cast<FaultCode>(i)) ? 1 : 0;
    }
    CPPUNIT_ASSERT_EQUAL(codeCount - 6, senders);
  }

  void faultsKeepWhatTheyAreGiven() {
    const Fault fault(FaultCode::UnresolvableData, "reason", "subject", {"one", "two"}, LogText("for the log"));
    CPPUNIT_ASSERT(fault.code() == FaultCode::UnresolvableData);
    CPPUNIT_ASSERT_EQUAL(std::string("reason"), fault.reason());
    CPPUNIT_ASSERT_EQUAL(std::string("subject"), fault.subject());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, fault.tried().size());
    CPPUNIT_ASSERT_EQUAL(std::string("for the log"), fault.log().forLog());
  }

  void whatNamesCodeReasonAndSubject() {
    CPPUNIT_ASSERT_EQUAL(std::string("NoSuchData: gone (/a)"),
                         std::string(Fault(FaultCode::NoSuchData, "gone", "/a").what()));
    const Fault fault(FaultCode::Busy, "later", {}, {}, LogText("hush"));
    CPPUNIT_ASSERT_EQUAL(std::string("Busy: later"), std::string(fault.what()));
  }

  void logTextIsNoString() {
    static_assert(!std::is_convertible_v<std::string, LogText>);
    static_assert(!std::is_convertible_v<LogText, std::string>);
    static_assert(!std::is_convertible_v<LogText, std::string_view>);
    CPPUNIT_ASSERT(LogText().forLog().empty());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(FaultTest);

} // namespace
