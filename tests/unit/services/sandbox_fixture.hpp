// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/fault.hpp"
#include "services/algorithms/out_folder.hpp"
#include "services/algorithms/sandbox.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>

namespace waybill::test {

/// An instance's home with a key in it, a folder for a run, and short ways to run real programs there.
class SandboxFixture : public CppUnit::TestFixture {
public:
  void setUp() override {
    std::string name = std::filesystem::temp_directory_path() / "waybill-sandbox-test-XXXXXX";
    CPPUNIT_ASSERT(mkdtemp(name.data()) != nullptr); // mode 0700, as a home
    home_ = name;
    std::filesystem::create_directories(home_ + "/keys");
    write(home_ + "/keys/instance.pem", secret);
    options_.home = home_;
    freshOut();
  }
  void tearDown() override { services::removeFolder(home_); }

protected:
  using How = services::SandboxResult::How;
  static constexpr auto secret = "the text of a key";

  static void write(const std::string &path, const std::string &text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    CPPUNIT_ASSERT_MESSAGE(path, file.flush().good());
  }
  static std::string contentOf(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    CPPUNIT_ASSERT_MESSAGE(path, file.is_open());
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static bool has(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }
  static void assertHas(const std::string &text, const std::string &part) {
    CPPUNIT_ASSERT_MESSAGE("expected \"" + part + "\" in: " + text, has(text, part));
  }

  /// For another run: the folder has to be empty.
  void freshOut() {
    out_ = home_ + "/job/out";
    services::removeFolder(home_ + "/job");
    std::filesystem::create_directories(out_);
    task_ = {};
    task_.outFolder = out_;
    task_.limits.wall = std::chrono::seconds(30);
  }
  std::string input(const std::string &name, const std::string &text) {
    auto flat = name;
    std::replace(flat.begin(), flat.end(), '/', '-');
    const auto path = home_ + "/job/" + flat;
    write(path, text);
    std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    services::letProgramsRead(path);
    task_.inputs.push_back({path, name});
    return path;
  }

  services::SandboxResult run(const std::function<bool()> &stop = [] { return false; }) {
    const services::Sandbox sandbox(options_);
    services::LogTail log;
    auto result = sandbox.run(task_, log, stop);
    log_ = log.text();
    return result;
  }
  services::SandboxResult shell(const std::string &script) {
    task_.command = {"sh", "-c", script};
    return run();
  }
  services::SandboxResult python(const std::string &script) {
    task_.command = {"/usr/bin/python3", "-c", script};
    return run();
  }
  void assertExited(std::int32_t status, const services::SandboxResult &result) const {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(result.limit + log_, static_cast<int>(How::Exited), static_cast<int>(result.how));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(log_, status, result.exitStatus);
  }
  void assertLimit(const std::string &which, const services::SandboxResult &result) const {
    CPPUNIT_ASSERT_EQUAL_MESSAGE("status " + std::to_string(result.exitStatus) + ", " + log_,
                                 static_cast<int>(How::Limit), static_cast<int>(result.how));
    assertHas(result.limit, which);
    assertHas(result.limit, "llowed");
  }
  static void assertFault(FaultCode code, const std::string &mentions, const std::function<void()> &call) {
    try {
      call();
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(fault.what(), std::string(name(code)), std::string(name(fault.code())));
      assertHas(std::string(fault.what()) + fault.log().forLog(), mentions);
      return;
    }
    CPPUNIT_FAIL("no fault that says: " + mentions);
  }
  /// True when a process of this machine has `mark` in its command line.
  static bool isRunning(const std::string &mark) {
    for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
      std::ifstream line(entry.path() / "cmdline", std::ios::binary);
      if (has({std::istreambuf_iterator<char>(line), {}}, mark)) {
        return true;
      }
    }
    return false;
  }

  std::string home_;
  std::string out_;
  services::Sandbox::Options options_;
  services::SandboxTask task_;
  std::string log_; ///< of the last run
};

} // namespace waybill::test
