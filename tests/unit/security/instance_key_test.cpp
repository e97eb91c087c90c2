// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/instance_key.hpp"

#include "support.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <thread>

namespace {

using namespace waybill;
using namespace waybill::security;
using namespace waybill::security::tests;

class InstanceKeyTest final : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(InstanceKeyTest);
  CPPUNIT_TEST(aNewKeyIsLoadedAgain);
  CPPUNIT_TEST(anRsaKeyHas3072Bits);
  CPPUNIT_TEST(theFilesHaveTheirModesAndNothingIsLeftBeside);
  CPPUNIT_TEST(theFolderIsMade);
  CPPUNIT_TEST(aKeyIsNeverOverwritten);
  CPPUNIT_TEST(halfAPairIsNeverOverwritten);
  CPPUNIT_TEST(ofManyThatMakeOneAtTheSameTimeOneWins);
  CPPUNIT_TEST(aMissingKeySaysWhatToDo);
  CPPUNIT_TEST(aKeyThatOthersCanReadIsRefused);
  CPPUNIT_TEST(filesThatAreNoKeyAreRefused);
  CPPUNIT_TEST(aPairThatDoesNotMatchIsRefused);
  CPPUNIT_TEST(aFolderThatCannotBeMadeIsNamed);
  CPPUNIT_TEST(randomBytesDiffer);
  CPPUNIT_TEST_SUITE_END();

  TemporaryFolder home_;

  InstanceKey make() { return InstanceKey::generate(home_.path(), "lab", {"localhost"}, KeyType::P256); }
  static mode_t modeOf(const std::string &file) {
    struct stat status {};
    CPPUNIT_ASSERT_EQUAL(0, ::stat(file.c_str(), &status));
    return status.st_mode & 07777U;
  }
  static std::size_t filesIn(const std::string &folder) {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator{}));
  }

public:
  void aNewKeyIsLoadedAgain() {
    const auto made = make();
    const auto loaded = InstanceKey::load(home_.path());
    CPPUNIT_ASSERT_EQUAL(made.id(), loaded.id());
    CPPUNIT_ASSERT_EQUAL(std::string("lab"), loaded.certificate().commonName());
    CPPUNIT_ASSERT_EQUAL(std::string("P-256"), loaded.certificate().keyType());
  }

  void anRsaKeyHas3072Bits() {
    const auto made = InstanceKey::generate(home_.path(), "lab", {}, KeyType::Rsa3072);
    CPPUNIT_ASSERT_EQUAL(std::string("RSA-3072"), made.certificate().keyType());
  }

  void theFilesHaveTheirModesAndNothingIsLeftBeside() {
    (void)make();
    CPPUNIT_ASSERT_EQUAL(mode_t{0600}, modeOf(home_.file("instance.key")));
    CPPUNIT_ASSERT_EQUAL(mode_t{0644}, modeOf(home_.file("instance.crt")));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, filesIn(home_.path()));
  }

  void theFolderIsMade() {
    const auto made = InstanceKey::generate(home_.file("a/b"), "lab", {}, KeyType::P256);
    CPPUNIT_ASSERT_EQUAL(made.id(), InstanceKey::load(home_.file("a/b")).id());
  }

  void aKeyIsNeverOverwritten() {
    const auto made = make();
    expectMentions(expectFault(FaultCode::AlreadyExists, [&] { (void)make(); }), "instance.key");
    CPPUNIT_ASSERT_EQUAL(made.id(), InstanceKey::load(home_.path()).id());
  }

  void halfAPairIsNeverOverwritten() {
    (void)make();
    std::filesystem::rename(home_.file("instance.crt"), home_.file("away"));
    expectMentions(expectFault(FaultCode::AlreadyExists, [&] { (void)make(); }), "without instance.crt");
    expectMentions(expectFault(FaultCode::Internal, [&] { (void)InstanceKey::load(home_.path()); }), "instance.crt");
    std::filesystem::rename(home_.file("away"), home_.file("instance.crt"));
    std::filesystem::remove(home_.file("instance.key"));
    expectMentions(expectFault(FaultCode::AlreadyExists, [&] { (void)make(); }), "without instance.key");
  }

  void ofManyThatMakeOneAtTheSameTimeOneWins() {
    std::atomic<int> made{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        try {
          (void)make();
          ++made;
        } catch (const Fault &fault) {
          CPPUNIT_ASSERT(fault.code() == FaultCode::AlreadyExists);
        }
      });
    }
    threads.clear();
    CPPUNIT_ASSERT_EQUAL(1, made.load());
    CPPUNIT_ASSERT_EQUAL(std::size_t{64}, InstanceKey::load(home_.path()).id().size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, filesIn(home_.path()));
  }

  void aMissingKeySaysWhatToDo() {
    const auto fault = expectFault(FaultCode::Internal, [&] { (void)InstanceKey::load(home_.path()); });
    expectMentions(fault, home_.file("instance.key"));
    expectMentions(fault, "init");
  }

  void aKeyThatOthersCanReadIsRefused() {
    (void)make();
    for (const mode_t mode : {0640U, 0604U, 0620U, 0601U}) {
      CPPUNIT_ASSERT_EQUAL(0, ::chmod(home_.file("instance.key").c_str(), mode));
      expectMentions(expectFault(FaultCode::Internal, [&] { (void)InstanceKey::load(home_.path()); }), "chmod 600");
    }
    CPPUNIT_ASSERT_EQUAL(0, ::chmod(home_.file("instance.key").c_str(), 0400));
    CPPUNIT_ASSERT_EQUAL(std::size_t{64}, InstanceKey::load(home_.path()).id().size());
  }

  void filesThatAreNoKeyAreRefused() {
    (void)make();
    const auto certificate = readFile(home_.file("instance.crt"));
    for (const auto &text : {std::string(), std::string("hello"), certificate, std::string(2'000'000, 'x')}) {
      writeFile(home_.file("instance.key"), text, 0600);
      expectMentions(expectFault(FaultCode::Internal, [&] { (void)InstanceKey::load(home_.path()); }), "instance.key");
    }
    std::filesystem::remove(home_.file("instance.key"));
    CPPUNIT_ASSERT_EQUAL(0, ::mkdir(home_.file("instance.key").c_str(), 0700));
    expectMentions(expectFault(FaultCode::Internal, [&] { (void)InstanceKey::load(home_.path()); }), "instance.key");
  }

  void aPairThatDoesNotMatchIsRefused() {
    (void)make();
    writeFile(home_.file("instance.crt"), keyOf("alice").certificate().pem());
    expectMentions(expectFault(FaultCode::Internal, [&] { (void)InstanceKey::load(home_.path()); }),
                   "do not belong together");
  }

  void aFolderThatCannotBeMadeIsNamed() {
    writeFile(home_.file("file"), "");
    expectMentions(expectFault(FaultCode::Internal,
                               [&] { (void)InstanceKey::generate(home_.file("file/x"), "lab", {}, KeyType::P256); }),
                   home_.file("file/x"));
  }

  void randomBytesDiffer() {
    SystemRandom random;
    std::set<std::string> ids;
    for (int i = 0; i < 1000; ++i) {
      ids.insert(randomId(random));
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{1000}, ids.size());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(InstanceKeyTest);

} // namespace
