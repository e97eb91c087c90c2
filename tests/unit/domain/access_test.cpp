// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/access.hpp"

#include "domain/fault.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace waybill;

const std::string id(64, 'a');

class AccessTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AccessTest);
  CPPUNIT_TEST(instanceIdsAre64LowerCaseHexDigits);
  CPPUNIT_TEST(principalsAreReadAndWritten);
  CPPUNIT_TEST(otherPrincipalsAreRefused);
  CPPUNIT_TEST(rightsHaveNames);
  CPPUNIT_TEST(listsOfRightsAreRead);
  CPPUNIT_TEST(unknownRightsAreNamed);
  CPPUNIT_TEST(someRightIsNeeded);
  CPPUNIT_TEST_SUITE_END();

public:
  void instanceIdsAre64LowerCaseHexDigits() {
    CPPUNIT_ASSERT(isInstanceId(id));
    CPPUNIT_ASSERT(isInstanceId("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
    CPPUNIT_ASSERT(!isInstanceId(std::string(64, 'A')));
    CPPUNIT_ASSERT(!isInstanceId(std::string(64, 'g')));
    CPPUNIT_ASSERT(!isInstanceId(std::string(63, 'a')));
    CPPUNIT_ASSERT(!isInstanceId(std::string(65, 'a')));
    CPPUNIT_ASSERT(!isInstanceId(""));
  }

  void principalsAreReadAndWritten() {
    for (const auto &text : {id, id + "/alice", id + "/alice@example.org", id + "/a/b", id + "/\xC3\xA9",
                             id + "/" + std::string(255, 's')}) {
      const auto principal = parsePrincipal(text);
      CPPUNIT_ASSERT_MESSAGE(text, principal.has_value());
      CPPUNIT_ASSERT_EQUAL(text, format(*principal));
    }
    CPPUNIT_ASSERT(!parsePrincipal(id)->subject);
    CPPUNIT_ASSERT_EQUAL(std::string("a/b"), parsePrincipal(id + "/a/b")->subject.value());
  }

  void otherPrincipalsAreRefused() {
    for (const auto &text : {std::string(), std::string("alice"), std::string("/alice"), id + "/",
                             id.substr(1) + "/alice", id + "/a\nb", id + "/" + std::string(256, 's'), " " + id}) {
      CPPUNIT_ASSERT_MESSAGE(text, !parsePrincipal(text));
    }
  }

  void rightsHaveNames() {
    for (const auto right : {Right::Read, Right::Write, Right::Delete, Right::List, Right::Invoke, Right::Administer}) {
      CPPUNIT_ASSERT(rightNamed(name(right)) == right);
    }
    CPPUNIT_ASSERT(!rightNamed("Read"));
    CPPUNIT_ASSERT(!rightNamed(""));
  }

  void listsOfRightsAreRead() {
    CPPUNIT_ASSERT((parseRights("read") == std::set{Right::Read}));
    CPPUNIT_ASSERT((parseRights(" list,read ,\twrite,,read\n") == std::set{Right::Read, Right::Write, Right::List}));
    CPPUNIT_ASSERT_EQUAL(std::string("read,delete,administer"), format(parseRights("administer delete read")));
    CPPUNIT_ASSERT_EQUAL(std::string(), format(std::set<Right>{}));
  }

  void unknownRightsAreNamed() {
    for (const auto *text : {"read,fly", "READ", "read;write", "read\x01"}) {
      try {
        (void)parseRights(text);
      } catch (const Fault &fault) {
        CPPUNIT_ASSERT(fault.code() == FaultCode::BadParameter);
        CPPUNIT_ASSERT_EQUAL(std::string("Rights"), fault.subject());
        continue;
      }
      CPPUNIT_FAIL(std::string("taken as rights: ") + text);
    }
  }

  void someRightIsNeeded() {
    CPPUNIT_ASSERT_THROW((void)parseRights(""), Fault);
    CPPUNIT_ASSERT_THROW((void)parseRights(" , ,"), Fault);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(AccessTest);

} // namespace
