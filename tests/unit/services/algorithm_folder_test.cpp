// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/algorithm_folder.hpp"

#include "algorithm_files.hpp"
#include "lab.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <optional>
#include <thread>

namespace {

using namespace waybill;
using services::AlgorithmFolder;

std::string titled(const std::string &title) { return "version = '1'\ntitle = '" + title + "'\ncommand = ['true']\n"; }

class AlgorithmFolderTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AlgorithmFolderTest);
  CPPUNIT_TEST(absentFolderHasNothing);
  CPPUNIT_TEST(folderThatComesLaterIsSeen);
  CPPUNIT_TEST(filesAreFoundByTheirPath);
  CPPUNIT_TEST(hiddenAndOtherFilesAreLeftAlone);
  CPPUNIT_TEST(changesAreSeen);
  CPPUNIT_TEST(changesOfTheSameSizeAtOnceAreSeen);
  CPPUNIT_TEST(whatIsInUseStaysAsItWas);
  CPPUNIT_TEST(unchangedFilesAreNotReadAgain);
  CPPUNIT_TEST(looksOnceASecondAtMost);
  CPPUNIT_TEST(looksWhenTheClockWasSetBack);
  CPPUNIT_TEST(invalidFileIsReportedOnceAChange);
  CPPUNIT_TEST(mendedFileIsPublished);
  CPPUNIT_TEST(fileThatBreaksIsLeftOut);
  CPPUNIT_TEST(fileNamedLikeTheIdWins);
  CPPUNIT_TEST(ofTwoFilesWithOneIdTheFirstWins);
  CPPUNIT_TEST(takenIdIsFreeAgain);
  CPPUNIT_TEST(linksToFilesAreFollowed);
  CPPUNIT_TEST(linksToNothingAreReported);
  CPPUNIT_TEST(namesOfWhatIsNoFileAreReported);
  CPPUNIT_TEST(whatHasNoProgramIsLeftOutUntilItHas);
  CPPUNIT_TEST(everyProgramThatCallsCanChooseIsLookedFor);
  CPPUNIT_TEST(whatHasNoProgramTakesNoId);
  CPPUNIT_TEST(foldersThatCannotBeListedAreReported);
  CPPUNIT_TEST(servesWhileItLooks);
  CPPUNIT_TEST(manyThreadsWhileFilesChange);
  CPPUNIT_TEST_SUITE_END();

public:
  void setUp() override { files_.emplace(); }
  void tearDown() override { files_.reset(); }

  void absentFolderHasNothing() {
    AlgorithmFolder folder(files_->path("none"), clock_, report());
    CPPUNIT_ASSERT(folder.all()->empty());
    CPPUNIT_ASSERT(folder.find("a") == nullptr);
    CPPUNIT_ASSERT(folder.problems().empty());
    CPPUNIT_ASSERT(reports_.empty());
  }

  void folderThatComesLaterIsSeen() {
    AlgorithmFolder folder(files_->path("later"), clock_, report());
    files_->write("later/a.toml", titled("A"));
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(std::string("A"), folder.find("a")->description.title);
    std::filesystem::remove_all(files_->path("later"));
    folder.refresh();
    CPPUNIT_ASSERT(folder.all()->empty());
  }

  void filesAreFoundByTheirPath() {
    files_->write("a.toml", titled("A"));
    files_->write("text/b/c.toml", titled("C"));
    files_->write("d.toml", "id = 'other/d'\n" + titled("D"));
    AlgorithmFolder folder(files_->folder(), clock_, report());
    CPPUNIT_ASSERT_EQUAL(std::string("a other/d text/b/c"), ids(folder));
    CPPUNIT_ASSERT_EQUAL(std::string("C"), folder.find("text/b/c")->description.title);
    CPPUNIT_ASSERT(folder.find("d") == nullptr);
    CPPUNIT_ASSERT(folder.find("../a") == nullptr);
  }

  void hiddenAndOtherFilesAreLeftAlone() {
    for (const auto *name : {".a.toml", ".git/a.toml", "programs/a.toml", "programs/x/a.toml", "a.toml~", "a.txt",
                             "toml", "a.TOML", ".toml"}) {
      files_->write(name, "no TOML at all");
    }
    files_->write("text/programs/a.toml", titled("A"));
    AlgorithmFolder folder(files_->folder(), clock_, report());
    CPPUNIT_ASSERT_EQUAL(std::string("text/programs/a"), ids(folder));
    CPPUNIT_ASSERT(reports_.empty());
  }

  void changesAreSeen() {
    files_->write("a.toml", titled("A"));
    AlgorithmFolder folder(files_->folder(), clock_, report());
    files_->write("a.toml", titled("A new"));
    files_->write("b.toml", titled("B"));
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(std::string("A new"), folder.find("a")->description.title);
    CPPUNIT_ASSERT_EQUAL(std::string("a b"), ids(folder));
    std::filesystem::rename(files_->path("a.toml"), files_->path("c.toml"));
    std::filesystem::remove(files_->path("b.toml"));
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(std::string("c"), ids(folder));
    files_->write("c.toml.new", titled("C"));
    std::filesystem::rename(files_->path("c.toml.new"), files_->path("c.toml"));
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(std::string("C"), folder.find("c")->description.title);
  }

  void changesOfTheSameSizeAtOnceAreSeen() {
    files_->write("a.toml", titled("0"));
    AlgorithmFolder folder(files_->folder(), clock_, report());
    for (int i = 1; i < 10; ++i) {
      files_->write("a.toml", titled(std::to_string(i)));
      folder.refresh();
      CPPUNIT_ASSERT_EQUAL(std::to_string(i), folder.find("a")->description.title);
    }
  }

  void whatIsInUseStaysAsItWas() {
    files_->write("a.toml", titled("A"));
    AlgorithmFolder folder(files_->folder(), clock_, report());
    const auto before = folder.find("a");
    const auto all = folder.all();
    std::filesystem::remove(files_->path("a.toml"));
    folder.refresh();
    CPPUNIT_ASSERT(folder.find("a") == nullptr);
    CPPUNIT_ASSERT_EQUAL(std::string("A"), before->description.title);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, all->size());
  }

  void unchangedFilesAreNotReadAgain() {
    files_->write("a.toml", titled("A"));
    files_->write("b.toml", titled("B"));
    std::this_thread::sleep_for(std::chrono::milliseconds(100)); // the files' stamps are settled then
    AlgorithmFolder folder(files_->folder(), clock_, report());
    const auto a = folder.find("a");
    const auto b = folder.find("b");
    files_->write("b.toml", titled("B"));
    folder.refresh();
    CPPUNIT_ASSERT(a == folder.find("a"));
    CPPUNIT_ASSERT(b != folder.find("b"));
  }

  void looksOnceASecondAtMost() {
    AlgorithmFolder folder(files_->folder(), frozen_, report());
    files_->write("a.toml", titled("A"));
    CPPUNIT_ASSERT(folder.find("a") == nullptr);
    frozen_.time += std::chrono::milliseconds(999);
    CPPUNIT_ASSERT(folder.find("a") == nullptr);
    frozen_.time += std::chrono::milliseconds(1);
    CPPUNIT_ASSERT(folder.find("a") != nullptr);
    files_->write("b.toml", "broken");
    frozen_.time += std::chrono::seconds(1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, folder.problems().size());
    files_->write("c.toml", titled("C"));
    frozen_.time += std::chrono::seconds(1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, folder.all()->size());
  }

  void looksWhenTheClockWasSetBack() {
    AlgorithmFolder folder(files_->folder(), frozen_, report());
    files_->write("a.toml", titled("A"));
    frozen_.time -= std::chrono::hours(1);
    CPPUNIT_ASSERT(folder.find("a") != nullptr);
  }

  void invalidFileIsReportedOnceAChange() {
    files_->write("a.toml", titled("A") + "colour = 'red'\n");
    files_->write("b.toml", titled("B"));
    AlgorithmFolder folder(files_->folder(), clock_, report());
    CPPUNIT_ASSERT_EQUAL(std::string("b"), ids(folder));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, reports_.size());
    reported(0, "a.toml:4: unknown key 'colour'");
    folder.refresh();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, reports_.size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, folder.problems().size());
    CPPUNIT_ASSERT_EQUAL(reports_.at(0), folder.problems().at(0));
    files_->write("a.toml", titled("A") + "\ncolour = 'red'\n");
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, reports_.size());
    reported(1, "a.toml:5: unknown key 'colour'");
    files_->write("a.toml", titled("A and more") + "\ncolour = 'red'\n"); // another text, the same problem
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, reports_.size());
  }

  void mendedFileIsPublished() {
    files_->write("a.toml", "broken");
    AlgorithmFolder folder(files_->folder(), clock_, report());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, folder.problems().size());
    files_->write("a.toml", titled("A"));
    folder.refresh();
    CPPUNIT_ASSERT(folder.find("a") != nullptr);
    CPPUNIT_ASSERT(folder.problems().empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, reports_.size());
  }

  void fileThatBreaksIsLeftOut() {
    files_->write("a.toml", titled("A"));
    AlgorithmFolder folder(files_->folder(), clock_, report());
    files_->write("a.toml", "title = 'A'\n");
    folder.refresh();
    CPPUNIT_ASSERT(folder.find("a") == nullptr);
    reported(0, "a.toml:1: 'version' is missing");
  }

  void fileNamedLikeTheIdWins() {
    files_->write("a.toml", "id = 'z'\n" + titled("the other"));
    files_->write("z.toml", titled("the real one"));
    AlgorithmFolder folder(files_->folder(), clock_, report());
    CPPUNIT_ASSERT_EQUAL(std::string("the real one"), folder.find("z")->description.title);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, reports_.size());
    reported(0, "a.toml:1: the id 'z' is taken by ");
    reported(0, "z.toml");
  }

  void ofTwoFilesWithOneIdTheFirstWins() {
    files_->write("b.toml", "id = 'z'\n" + titled("B"));
    files_->write("a.toml", "id = 'z'\n" + titled("A"));
    AlgorithmFolder folder(files_->folder(), clock_, report());
    CPPUNIT_ASSERT_EQUAL(std::string("A"), folder.find("z")->description.title);
    reported(0, "b.toml:1: the id 'z' is taken by ");
  }

  void takenIdIsFreeAgain() {
    files_->write("a.toml", "id = 'z'\n" + titled("A"));
    files_->write("b.toml", "id = 'z'\n" + titled("B"));
    AlgorithmFolder folder(files_->folder(), clock_, report());
    std::filesystem::remove(files_->path("a.toml"));
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(std::string("B"), folder.find("z")->description.title);
    CPPUNIT_ASSERT(folder.problems().empty());
    files_->write("a.toml", "id = 'z'\n" + titled("A"));
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, reports_.size());
    reported(1, "b.toml:1: ");
  }

  void linksToFilesAreFollowed() {
    files_->write("elsewhere/a.txt", titled("A"));
    files_->write("elsewhere/b.toml", titled("B"));
    std::filesystem::create_directory(files_->path("algorithms"));
    std::filesystem::create_symlink("../elsewhere/a.txt", files_->path("algorithms/a.toml"));
    std::filesystem::create_directory_symlink("../elsewhere", files_->path("algorithms/linked"));
    AlgorithmFolder folder(files_->path("algorithms"), clock_, report());
    CPPUNIT_ASSERT_EQUAL(std::string("a"), ids(folder));
    files_->write("elsewhere/a.txt", titled("changed"));
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(std::string("changed"), folder.find("a")->description.title);
    CPPUNIT_ASSERT(reports_.empty());
  }

  void linksToNothingAreReported() {
    std::filesystem::create_symlink("nowhere", files_->path("a.toml"));
    AlgorithmFolder folder(files_->folder(), clock_, report());
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, reports_.size());
    reported(0, "a.toml:1: there is no file behind this name");
    files_->write("nowhere", titled("A"));
    folder.refresh();
    CPPUNIT_ASSERT(folder.find("a") != nullptr);
    CPPUNIT_ASSERT(folder.problems().empty());
  }

  void namesOfWhatIsNoFileAreReported() {
    files_->write("good.toml", titled("good"));
    files_->write("folder.toml/a.toml", titled("A"));
    std::filesystem::create_symlink("/dev/zero", files_->path("device.toml"));
    CPPUNIT_ASSERT_EQUAL(0, ::mkfifo(files_->path("fifo.toml").c_str(), 0600));
    AlgorithmFolder folder(files_->folder(), clock_, report());
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(std::string("good"), ids(folder));
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, reports_.size());
    reported(0, "device.toml:1: this has to be a TOML file, and is a device");
    reported(1, "fifo.toml:1: this has to be a TOML file, and is a FIFO");
    reported(2, "folder.toml:1: this has to be a TOML file, and is a folder");
  }

  void whatHasNoProgramIsLeftOutUntilItHas() {
    files_->write("a.toml", titled("A"));
    files_->write("b.toml", "version = '1'\ntitle = 'B'\n\ncommand = [\n  'heat']\n");
    std::string why = "there is no /usr/bin/heat on this machine";
    AlgorithmFolder folder(files_->folder(), clock_, report(),
                           [&](const std::string &program) { return program == "heat" ? why : ""; });
    CPPUNIT_ASSERT_EQUAL(std::string("a"), ids(folder));
    reported(0, files_->path("b.toml").string() + ":4: 'command' begins with 'heat', which cannot be run: " + why);
    CPPUNIT_ASSERT_EQUAL(reports_.at(0), folder.problems().at(0));
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, reports_.size());
    why = ""; // it has been installed, and the file is as it was
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(std::string("a b"), ids(folder));
    CPPUNIT_ASSERT(folder.problems().empty());
    why = "gone";
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(std::string("a"), ids(folder));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, reports_.size());
  }

  void everyProgramThatCallsCanChooseIsLookedFor() {
    files_->write("a.toml", "version = '1'\ntitle = 'A'\ncommand = ['/opt/{parameter.x}-{parameter.y}']\n"
                            "[parameters.x]\ntype = 'enumeration'\nvalues = ['1', '2']\ndefault = '1'\n"
                            "[parameters.y]\ntype = 'enumeration'\nvalues = ['3', '4']\ndefault = '3'\n");
    std::string asked;
    AlgorithmFolder folder(files_->folder(), clock_, report(), [&](const std::string &program) {
      asked += program + " ";
      return program == "/opt/2-4" ? "gone" : "";
    });
    CPPUNIT_ASSERT_EQUAL(std::string("/opt/1-3 /opt/1-4 /opt/2-3 /opt/2-4 "), asked);
    CPPUNIT_ASSERT(folder.all()->empty());
  }

  void whatHasNoProgramTakesNoId() {
    files_->write("z.toml", "version = '1'\ntitle = 'Z'\ncommand = ['heat']\n");
    files_->write("a.toml", "id = 'z'\n" + titled("A"));
    AlgorithmFolder folder(files_->folder(), clock_, report(),
                           [](const std::string &program) { return program == "heat" ? "gone" : ""; });
    CPPUNIT_ASSERT_EQUAL(std::string("A"), folder.find("z")->description.title);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, folder.problems().size());
  }

  void foldersThatCannotBeListedAreReported() {
    files_->write("good.toml", titled("good"));
    files_->write("not-a-folder", "");
    AlgorithmFolder file(files_->path("not-a-folder"), clock_, report());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, file.problems().size());
    reported(0, "not-a-folder: listing the folder's algorithms failed: Not a directory");
    if (geteuid() == 0) {
      return; // root may list everything
    }
    std::filesystem::create_directory(files_->path("closed"));
    std::filesystem::permissions(files_->path("closed"), std::filesystem::perms::none);
    AlgorithmFolder folder(files_->folder(), clock_, report());
    std::filesystem::permissions(files_->path("closed"), std::filesystem::perms::owner_all);
    CPPUNIT_ASSERT_EQUAL(std::string("good"), ids(folder));
    reported(1, "closed: listing the folder's algorithms failed");
  }

  void servesWhileItLooks() {
    files_->write("a.toml", titled("A"));
    std::promise<void> looking;
    std::promise<void> goOn;
    std::atomic<bool> hold{false};
    AlgorithmFolder folder(files_->folder(), frozen_, [&](const std::string &) {
      if (hold.exchange(false)) {
        looking.set_value();
        goOn.get_future().wait();
      }
    });
    files_->write("b.toml", "broken");
    hold = true;
    std::jthread looker([&] { folder.refresh(); });
    looking.get_future().wait();
    frozen_.time += std::chrono::seconds(5); // a look is due, and one is under way
    CPPUNIT_ASSERT_EQUAL(std::string("A"), folder.find("a")->description.title);
    goOn.set_value();
  }

  void manyThreadsWhileFilesChange() {
    files_->write("a.toml", titled("A"));
    std::atomic<int> reports{0};
    AlgorithmFolder folder(files_->folder(), clock_, [&](const std::string &) { ++reports; });
    std::atomic<bool> ended{false};
    std::atomic<int> missing{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        while (!ended) {
          clock_.advance(std::chrono::seconds(1));
          missing += folder.find("a") == nullptr ? 1 : 0;
          static_cast<void>(folder.problems());
          if (i == 0) {
            folder.refresh();
          }
        }
      });
    }
    for (int i = 0; i < 50; ++i) {
      files_->write("b.toml", i % 2 == 0 ? titled("B") : "broken");
      files_->write("c" + std::to_string(i) + ".toml", titled("C"));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ended = true;
    threads.clear();
    folder.refresh();
    CPPUNIT_ASSERT_EQUAL(0, missing.load());
    CPPUNIT_ASSERT_EQUAL(std::size_t{51}, folder.all()->size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, folder.problems().size());
    CPPUNIT_ASSERT(reports > 0);
  }

private:
  /// A time that stands still until it is told.
  struct FrozenClock final : public Clock {
    [[nodiscard]] Time now() const override { return time.load(); }
    struct Value {
      std::atomic<std::int64_t> micros{1'700'000'000'000'000};
      [[nodiscard]] Time load() const { return Time(std::chrono::microseconds(micros.load())); }
      void operator+=(std::chrono::microseconds step) { micros += step.count(); }
      void operator-=(std::chrono::microseconds step) { micros -= step.count(); }
    } time;
  };

  AlgorithmFolder::Report report() {
    return [this](const std::string &problem) { reports_.push_back(problem); };
  }

  void reported(std::size_t at, const std::string &what) {
    CPPUNIT_ASSERT_MESSAGE(what, at < reports_.size());
    CPPUNIT_ASSERT_MESSAGE(reports_.at(at), reports_.at(at).find(what) != std::string::npos);
  }

  static std::string ids(AlgorithmFolder &folder) {
    std::string all;
    const auto published = folder.all();
    for (const auto &[id, algorithm] : *published) {
      all += (all.empty() ? "" : " ") + id;
    }
    return all;
  }

  std::optional<test::AlgorithmFiles> files_;
  test::PassingClock clock_;
  FrozenClock frozen_;
  std::vector<std::string> reports_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(AlgorithmFolderTest);

} // namespace
