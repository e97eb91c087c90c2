// SPDX-License-Identifier: GPL-3.0-or-later
#include "sandbox_fixture.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace waybill;
namespace fs = std::filesystem;

/// What programs leave, and how it is read and removed.
class OutFolderTest : public test::SandboxFixture {
  CPPUNIT_TEST_SUITE(OutFolderTest);
  CPPUNIT_TEST(anOutputIsRead);
  CPPUNIT_TEST(linksAreNotFollowed);
  CPPUNIT_TEST(otherThingsAreNotRead);
  CPPUNIT_TEST(useIsCounted);
  CPPUNIT_TEST(everythingIsRemoved);
  CPPUNIT_TEST(removingFollowsNoLink);
  CPPUNIT_TEST(deepTreesAreRemoved);
  CPPUNIT_TEST_SUITE_END();

public:
  void anOutputIsRead() {
    assertExited(0, shell("printf hello > result; : > empty; printf secret > locked; chmod 0 locked"));
    const auto source = services::openOutput(out_, "result");
    CPPUNIT_ASSERT(source != nullptr);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{5}, source->size().value());
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), readAll(*source, 100, "result"));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, services::openOutput(out_, "empty")->size().value());
    const auto locked = services::openOutput(out_, "locked");
    CPPUNIT_ASSERT_EQUAL(std::string("secret"), readAll(*locked, 100, "locked"));
    CPPUNIT_ASSERT(services::openOutput(out_, "absent") == nullptr);
    assertFault(FaultCode::Internal, "no-folder", [this] { (void)services::openOutput(home_ + "/no-folder", "x"); });
  }

  void linksAreNotFollowed() {
    const auto key = home_ + "/keys/instance.pem";
    assertExited(
        0, shell("ln -s " + key + " result; ln -s /etc/passwd other; ln -s not-there broken; echo x > a; ln a b"));
    for (const std::string name : {"result", "other", "broken"}) {
      assertFault(FaultCode::AlgorithmFailed, "a symbolic link", [&] { (void)services::openOutput(out_, name); });
    }
    assertFault(FaultCode::AlgorithmFailed, "hard link", [this] { (void)services::openOutput(out_, "a"); });
    // Writing through a link ends where the sandbox ends: there is no such file within.
    freshOut();
    task_.standardOutput = "log";
    assertExited(0, shell("ln -s " + key + " out; echo changed > out; echo changed > " + key + "; true"));
    CPPUNIT_ASSERT_EQUAL(std::string(secret), contentOf(key));
  }

  void otherThingsAreNotRead() {
    assertExited(0, python("import os, socket\n"
                           "os.mkdir('folder'); os.mkfifo('pipe')\n"
                           "socket.socket(socket.AF_UNIX).bind('socket')\n"));
    assertFault(FaultCode::AlgorithmFailed, "a folder", [this] { (void)services::openOutput(out_, "folder"); });
    assertFault(FaultCode::AlgorithmFailed, "a named pipe", [this] { (void)services::openOutput(out_, "pipe"); });
    assertFault(FaultCode::AlgorithmFailed, "a socket", [this] { (void)services::openOutput(out_, "socket"); });
  }

  void useIsCounted() {
    fs::create_directories(out_ + "/a/b");
    write(out_ + "/a/b/c", std::string(100'000, 'x'));
    fs::create_symlink("/usr", out_ + "/link");
    const auto use = useOf(1ULL << 40U, 1000);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{4}, use.entries);
    CPPUNIT_ASSERT(use.bytes >= 100'000 && use.bytes < 200'000);
    CPPUNIT_ASSERT(use.readable);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{3}, useOf(1ULL << 40U, 2).entries); // it stops when there are more
    CPPUNIT_ASSERT(useOf(50'000, 1000).bytes > 50'000);
  }

  void everythingIsRemoved() {
    assertExited(0, shell("mkdir -p a/b/c d; i=0; while [ $i -lt 2000 ]; do : > a/b/$i; i=$((i+1)); done; "
                          "mkfifo a/pipe; ln -s / a/b/c/root; mkdir moved-1 moved-1/moved-1 a/moved-2; : > -n; "
                          "chmod 0 a/b/c a/b d a; chmod 0 ."));
    services::removeFolder(home_ + "/job");
    CPPUNIT_ASSERT(!fs::exists(home_ + "/job"));
    CPPUNIT_ASSERT(fs::exists(home_ + "/keys/instance.pem"));
    services::removeFolder(home_ + "/job"); // again: nothing happens
  }

  void removingFollowsNoLink() {
    fs::create_symlink(home_ + "/keys", out_ + "/folder");
    fs::create_symlink(home_ + "/keys/instance.pem", out_ + "/file");
    services::removeFolder(out_);
    CPPUNIT_ASSERT(fs::exists(home_ + "/keys/instance.pem"));
    const auto link = home_ + "/link";
    fs::create_symlink(home_ + "/keys", link);
    assertFault(FaultCode::Internal, "link", [&] { services::removeFolder(link); });
    CPPUNIT_ASSERT(fs::exists(home_ + "/keys/instance.pem"));
  }

  void deepTreesAreRemoved() {
    constexpr int levels = 5000; // more than descriptors, and far more than a path can have
    int at = ::open(out_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int level = 0; level < levels; ++level) {
      CPPUNIT_ASSERT(::mkdirat(at, "deep", level % 2 == 0 ? 0700 : 0755) == 0 && ::mkdirat(at, "beside", 0700) == 0);
      const int next = ::openat(at, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      ::close(at);
      at = next;
    }
    ::close(at);
    CPPUNIT_ASSERT(!useOf(1ULL << 40U, 1ULL << 40U).readable);
    services::removeFolder(home_ + "/job");
    CPPUNIT_ASSERT(!fs::exists(home_ + "/job"));
  }

private:
  services::FolderUse useOf(std::uint64_t mostBytes, std::uint64_t mostEntries) const {
    const int folder = ::open(out_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const auto use = services::folderUse(folder, mostBytes, mostEntries);
    ::close(folder);
    return use;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OutFolderTest);

} // namespace
