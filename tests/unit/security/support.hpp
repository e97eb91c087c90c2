// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"
#include "security/instance_key.hpp"
#include "security/token.hpp"
#include "storage/catalog.hpp"

#include <cppunit/TestAssert.h>

#include <atomic>
#include <string>
#include <vector>

/// What the tests of this folder share.
namespace waybill::security::tests {

/// A new folder that goes, with all that is in it, at the end.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  [[nodiscard]] const std::string &path() const noexcept { return path_; }
  [[nodiscard]] std::string file(const std::string &name) const { return path_ + "/" + name; }

private:
  std::string path_;
};

/// A clock that stands where it is put. Thread-safe.
class StandingClock final : public Clock {
public:
  explicit StandingClock(Time now) : now_(now) {}
  [[nodiscard]] Time now() const override { return now_; }
  void set(Time now) { now_ = now; }

private:
  std::atomic<Time> now_;
};

/// "2026-01-31T12:00:00Z" as a time; the test fails when it is none.
[[nodiscard]] Time at(const std::string &utc);

/// Where the token vectors are, with their keys.
[[nodiscard]] std::string vectorFile(const std::string &name);
[[nodiscard]] std::string readFile(const std::string &file);
void writeFile(const std::string &file, const std::string &text, unsigned mode = 0644);

/// Keys that never change, from tests/vectors/tokens: alice, lab (P-256), rita, rsalab (RSA-3072), stranger, and
/// mallory, whose certificate claims alice's subject key identifier.
[[nodiscard]] const InstanceKey &keyOf(const std::string &name);

/// Well-formed claims for a token from `issuer` to `audience`, good from 12:00 to 12:30 on 2026-01-31.
[[nodiscard]] TokenClaims claimsFor(const InstanceKey &issuer, const InstanceKey &audience);

/// Finds these certificates by subject key identifier, as Trust does.
[[nodiscard]] FindKeys finderOf(std::vector<Certificate> trusted);

[[nodiscard]] std::string toBase64(ByteView bytes);
[[nodiscard]] Bytes fromBase64(const std::string &text);

/// Runs `action`, which has to throw a Fault of that code, and returns it.
template <class Action> Fault expectFault(FaultCode code, Action action) {
  try {
    action();
  } catch (const Fault &fault) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(std::string(fault.what()) + " | " + fault.log().forLog(), std::string(name(code)),
                                 std::string(name(fault.code())));
    CPPUNIT_ASSERT(!fault.reason().empty());
    return fault;
  }
  CPPUNIT_FAIL("a fault " + std::string(name(code)) + " was expected, and none came");
  throw; // not reached: CPPUNIT_FAIL throws
}

void expectMentions(const Fault &fault, const std::string &text);

} // namespace waybill::security::tests
