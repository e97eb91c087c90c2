// SPDX-License-Identifier: GPL-3.0-or-later
#include "sandbox_fixture.hpp"
#include "services/algorithms/cpu_clock.hpp"

#include <csignal>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace waybill;
using namespace std::chrono_literals;

constexpr std::uint64_t mebibyte = 1ULL << 20U;

/// Programs that take more than they may, and programs that will not end.
class SandboxLimitsTest : public test::SandboxFixture {
  CPPUNIT_TEST_SUITE(SandboxLimitsTest);
  CPPUNIT_TEST(wallTime);
  CPPUNIT_TEST(cpuOfOneProcess);
  CPPUNIT_TEST(cpuOfManyShortOnes);
  CPPUNIT_TEST(cpuOfChildrenThatNobodyWaitsFor);
  CPPUNIT_TEST(memoryOfOneProcess);
  CPPUNIT_TEST(memoryOfMany);
  CPPUNIT_TEST(memoryOfTemporaryFiles);
  CPPUNIT_TEST(memoryOfEmptyTemporaryFiles);
  CPPUNIT_TEST(sharedPagesCountOnce);
  CPPUNIT_TEST(forkBomb);
  CPPUNIT_TEST(processesOfAProgramThatEndsWhenForkFails);
  CPPUNIT_TEST(threads);
  CPPUNIT_TEST(sockets);
  CPPUNIT_TEST(socketsThatNobodyHasOpen);
  CPPUNIT_TEST(memoryInConnections);
  CPPUNIT_TEST(descriptors);
  CPPUNIT_TEST(oneBigTemporaryFile);
  CPPUNIT_TEST(oneBigFile);
  CPPUNIT_TEST(manyFiles);
  CPPUNIT_TEST(sparseFile);
  CPPUNIT_TEST(filesWithoutNames);
  CPPUNIT_TEST(unreadableFolders);
  CPPUNIT_TEST(deepFolders);
  CPPUNIT_TEST(outputThatIsThereAtTheEnd);
  CPPUNIT_TEST(theDisksReserve);
  CPPUNIT_TEST(stopped);
  CPPUNIT_TEST(stoppedByAnException);
  CPPUNIT_TEST(nothingIsLeftBehind);
  CPPUNIT_TEST(nothingOutlivesTheDaemon);
  CPPUNIT_TEST(endlessOutput);
  CPPUNIT_TEST(logOfBinaryGarbage);
  CPPUNIT_TEST(logOfManyLines);
  CPPUNIT_TEST_SUITE_END();

public:
  void wallTime() {
    task_.limits.wall = 1s;
    const auto result = shell("trap '' TERM INT HUP; while :; do sleep 0.1; done");
    assertLimit("wall time of 1.", result);
    assertHas(result.limit, "allowed: 1.0 s");
    CPPUNIT_ASSERT(result.wall >= 1s && result.wall < 5s);
  }

  void cpuOfOneProcess() {
    task_.limits.cpu = 1s;
    const auto result = shell("trap '' XCPU TERM; while :; do :; done");
    assertLimit("CPU time of 1.", result);
    CPPUNIT_ASSERT(result.cpu >= 1s && result.cpu < 4s);
  }

  void cpuOfManyShortOnes() {
    task_.limits.cpu = 1s;
    const auto result = shell("while :; do sh -c 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done'; done");
    assertLimit("CPU time of 1.", result);
  }

  void cpuOfChildrenThatNobodyWaitsFor() {
    task_.limits.cpu = 1s;
    task_.limits.wall = 10s;
    const auto result = python("import os, signal\n"
                               "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
                               "r, w = os.pipe()\n"
                               "while True:\n"
                               "  if os.fork() == 0:\n"
                               "    sum(range(300000)); os.write(w, b'x'); os._exit(0)\n"
                               "  os.read(r, 1)\n");
    // Without the kernel's counter, the wall is where such a program ends.
    assertLimit(services::CpuClock(::getpid()).read() ? "CPU time of 1." : "wall time", result);
  }

  void memoryOfOneProcess() {
    task_.limits.memory = 64 * mebibyte;
    const auto result = python("import time\na = []\nwhile True:\n  a.append(bytearray(b'x') * 1048576)\n");
    assertLimit("memory of ", result);
    assertHas(result.limit, "allowed: 64.0 MiB");
    CPPUNIT_ASSERT(result.memory > 64 * mebibyte);
  }

  void memoryOfMany() {
    task_.limits.memory = 100 * mebibyte;
    const auto result = python("import os, time\n"
                               "for i in range(8):\n"
                               "  if os.fork() == 0:\n"
                               "    a = bytearray(b'x') * (20 << 20)\n"
                               "    time.sleep(60)\n"
                               "time.sleep(60)\n");
    assertLimit("memory of ", result);
  }

  void memoryOfTemporaryFiles() {
    task_.limits.memory = 64 * mebibyte;
    // Each of the two takes as much as is allowed; together they are too much.
    assertLimit("memory of ", shell("cat /dev/zero > /tmp/a; cat /dev/zero > /dev/shm/b; sleep 60"));
  }

  void memoryOfEmptyTemporaryFiles() {
    task_.limits.memory = 16 * mebibyte;
    assertLimit("memory of ", python("i = 0\nwhile True:\n  open('/tmp/' + str(i), 'w').close()\n  i += 1\n"));
  }

  void sharedPagesCountOnce() {
    task_.limits.memory = 128 * mebibyte;
    const auto result = python("import os, time\n"
                               "a = bytes(b'x') * (60 << 20)\n"
                               "for i in range(6):\n"
                               "  if os.fork() == 0:\n"
                               "    time.sleep(1); os._exit(0)\n"
                               "for i in range(6): os.wait()\n");
    assertExited(0, result);
    CPPUNIT_ASSERT(result.memory > 60 * mebibyte && result.memory < 128 * mebibyte);
  }

  void forkBomb() {
    task_.limits.processes = 10;
    task_.limits.wall = 10s;
    assertLimit(" processes and threads at the same time (allowed: 10)",
                python("import os, time\n"
                       "while True:\n"
                       "  try: os.fork()\n"
                       "  except OSError: time.sleep(0.01)\n"));
    assertLimit("llowed", shell("bomb() { bomb | bomb & }; bomb; sleep 20"));
  }

  void processesOfAProgramThatEndsWhenForkFails() {
    task_.limits.processes = 10;
    assertLimit(" processes and threads at the same time (allowed: 10)",
                shell("i=0; while [ $i -lt 40 ]; do sleep 20 & i=$((i+1)); done; sleep 0.3; exit 2"));
  }

  void sockets() {
    const std::string pairs = "import socket, time\n"
                              "keep = [socket.socketpair() for i in range(120)]\n"
                              "time.sleep(1)\n";
    assertExited(0, python(pairs));
    // Two of them have more than is allowed.
    assertLimit("sockets at the same time (allowed: 256)",
                shell("for n in 1 2; do python3 -c '" + pairs + "' & done; wait"));
  }

  void socketsThatNobodyHasOpen() {
    // Connections that were never accepted, and whose other ends are closed: data waits there all the same.
    assertLimit("sockets at the same time (allowed: 256)",
                python("import socket, time\n"
                       "server = socket.socket(socket.AF_UNIX); server.bind('/tmp/s'); server.listen(4000)\n"
                       "for i in range(1000):\n"
                       "  client = socket.socket(socket.AF_UNIX); client.connect('/tmp/s'); client.setblocking(False)\n"
                       "  client.send(b'x' * 100000); client.close()\n"
                       "time.sleep(20)\n"));
  }

  void memoryInConnections() {
    task_.limits.memory = 64 * mebibyte;
    assertLimit("memory of ", python("import socket, time\n"
                                     "server = socket.socket(); server.bind(('127.0.0.1', 0)); server.listen(200)\n"
                                     "keep = []\n"
                                     "for i in range(100):\n"
                                     "  client = socket.create_connection(server.getsockname())\n"
                                     "  keep += [client, server.accept()[0]]\n"
                                     "  client.setblocking(False)\n"
                                     "  try:\n"
                                     "    while True: client.send(b'x' * 1000000)\n"
                                     "  except BlockingIOError: pass\n"
                                     "time.sleep(20)\n"));
  }

  void descriptors() {
    assertExited(0, python("keep = []\n"
                           "try:\n"
                           "  while True: keep.append(open('/dev/null'))\n"
                           "except OSError as error: print(len(keep) + 3, error.strerror)\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("256 Too many open files\n"), log_);
  }

  void oneBigTemporaryFile() {
    task_.limits.memory = 32 * mebibyte;
    // It ends by itself for want of room, before or after somebody has looked.
    for (const std::string place : {"/tmp", "/dev/shm"}) {
      const auto result = shell("sleep 0.1; cat /dev/zero > " + place + "/big");
      assertLimit("memory of 3", result);
      assertHas(result.limit, "(allowed: 32.0 MiB)");
    }
  }

  void threads() {
    task_.limits.processes = 10;
    const std::string script = "import threading, time\n"
                               "for i in range({}):\n"
                               "  threading.Thread(target=time.sleep, args=(1,)).start()\n";
    auto many = script;
    many.replace(many.find("{}"), 2, "10");
    assertLimit("11 processes and threads", python(many));
    auto few = script;
    few.replace(few.find("{}"), 2, "9");
    assertExited(0, python(few));
  }

  void oneBigFile() {
    task_.limits.output = 20 * mebibyte;
    task_.limits.memory = 64 * mebibyte;
    const auto result = shell("cat /dev/zero > /out/big");
    CPPUNIT_ASSERT_EQUAL_MESSAGE(log_, static_cast<int>(How::Limit), static_cast<int>(result.how));
    CPPUNIT_ASSERT(std::filesystem::file_size(out_ + "/big") <= 65 * mebibyte);
  }

  void manyFiles() {
    task_.limits.output = 20 * mebibyte;
    assertLimit("output of ", python("i = 0\n"
                                     "while True:\n"
                                     "  open('/out/' + str(i), 'w').write('x' * 10000)\n"
                                     "  i += 1\n"));
    freshOut();
    // Without content they still take the disk's inodes.
    task_.limits.output = 1ULL << 40U;
    assertLimit("files or more", python("i = 0\nwhile True:\n  open('/out/' + str(i), 'w').close()\n  i += 1\n"));
  }

  void sparseFile() {
    task_.limits.output = 20 * mebibyte;
    task_.limits.memory = 64 * mebibyte;
    assertLimit("output of 50", shell("truncate -s 50M /out/sparse; sleep 20"));
  }

  void filesWithoutNames() {
    task_.limits.output = 20 * mebibyte;
    assertLimit("output of ", python("import os, time\n"
                                     "keep = []\n"
                                     "for i in range(4):\n"
                                     "  f = open('/out/x', 'wb'); os.unlink('/out/x')\n"
                                     "  f.write(b'x' * 6000000); f.flush(); keep.append(f)\n"
                                     "time.sleep(20)\n"));
  }

  void unreadableFolders() {
    task_.limits.output = 1 * mebibyte;
    assertLimit("output of ",
                shell("mkdir -p /out/a/b; head -c 2000000 /dev/zero > /out/a/b/c; chmod 0 /out/a/b /out/a; "
                      "sleep 20"));
  }

  void deepFolders() {
    const auto result = python("import os\nos.chdir('/out')\n"
                               "for i in range(3000): os.mkdir('d'); os.chdir('d')\n"
                               "open('file', 'w').write('x')\n");
    CPPUNIT_ASSERT_EQUAL_MESSAGE(log_, static_cast<int>(How::Limit), static_cast<int>(result.how));
    assertHas(result.limit, "too deep");
  }

  void outputThatIsThereAtTheEnd() {
    task_.limits.output = 10000;
    assertLimit("output of ", shell("head -c 20000 /dev/zero > /out/x"));
    freshOut();
    task_.limits.output = 10000;
    assertExited(0, shell("head -c 5000 /dev/zero > /out/x"));
  }

  void theDisksReserve() {
    options_.minimumFree = 1ULL << 60U;
    const auto result = shell("sleep 20");
    CPPUNIT_ASSERT_EQUAL_MESSAGE(log_, static_cast<int>(How::Limit), static_cast<int>(result.how));
    assertHas(result.limit, "are to be left");
  }

  void stopped() {
    task_.command = {"sh", "-c", "trap '' TERM; sleep 20 & touch /out/started; while :; do sleep 1; done"};
    const auto result = run([this] { return std::filesystem::exists(out_ + "/started"); });
    CPPUNIT_ASSERT_EQUAL(static_cast<int>(How::Stopped), static_cast<int>(result.how));
    CPPUNIT_ASSERT(result.wall < 10s);
    CPPUNIT_ASSERT(result.limit.empty());
    task_.command = {"sleep", "20.125"};
    CPPUNIT_ASSERT_EQUAL(static_cast<int>(How::Stopped), static_cast<int>(run([] { return true; }).how));
    CPPUNIT_ASSERT(!isRunning("20.125"));
  }

  void stoppedByAnException() {
    task_.command = {"sleep", "20.25"};
    CPPUNIT_ASSERT_THROW(run([]() -> bool { throw std::runtime_error("the catalog is gone"); }), std::runtime_error);
    CPPUNIT_ASSERT(!isRunning("20.25"));
  }

  void nothingIsLeftBehind() {
    // In sessions of their own, and orphans: as daemons are.
    const auto result =
        shell("setsid sleep 20.375 & (setsid sh -c 'trap \"\" TERM HUP; sleep 20.375; sleep 20.375' &) ; "
              "nohup sleep 20.375 >/dev/null 2>&1 & sleep 0.2; pgrep -xc sleep; exit 5");
    assertExited(5, result);
    assertHas(log_, "3\n"); // they did start
    CPPUNIT_ASSERT(result.wall < 10s);
    CPPUNIT_ASSERT(!isRunning("20.375"));
    assertExited(0, python("import os, time\n"
                           "if os.fork() == 0:\n"
                           "  os.setsid()\n"
                           "  if os.fork() == 0:\n"
                           "    for fd in range(3): os.close(fd)\n"
                           "    os.execv('/usr/bin/sleep', ['sleep', '20.5'])\n"
                           "  os._exit(0)\n"
                           "os.wait(); time.sleep(0.2)\n"));
    CPPUNIT_ASSERT(!isRunning("20.5"));
  }

  void nothingOutlivesTheDaemon() {
    const auto daemon = ::fork();
    CPPUNIT_ASSERT(daemon >= 0);
    if (daemon == 0) {
      shell("setsid sh -c 'trap \"\" TERM; touch /out/started; sleep 20.75; sleep 20.75'");
      ::_exit(0);
    }
    const bool started = becomes([this] { return std::filesystem::exists(out_ + "/started"); });
    ::kill(daemon, SIGKILL);
    ::waitpid(daemon, nullptr, 0);
    CPPUNIT_ASSERT(started);
    CPPUNIT_ASSERT(becomes([] { return !isRunning("20.75"); }));
  }

  void endlessOutput() {
    task_.limits.wall = 2s;
    task_.limits.cpu = 60s;
    // It goes on printing to the end: the file says how far it came.
    const auto result = python("import sys\n"
                               "i = 0\n"
                               "while True:\n"
                               "  sys.stdout.write('0123456789' * 1000 + '\\n'); sys.stderr.write('error\\n')\n"
                               "  i += 1\n"
                               "  if i % 100 == 0: open('/out/hundreds', 'a').write('x')\n");
    assertLimit("wall time", result);
    CPPUNIT_ASSERT(log_.size() <= services::LogTail::mostBytes + 10);
    CPPUNIT_ASSERT(log_.size() > 10000);
    CPPUNIT_ASSERT_EQUAL(std::string("[...]"), log_.substr(0, 5));
    CPPUNIT_ASSERT(std::filesystem::file_size(out_ + "/hundreds") > 0); // a pipe alone holds 7 rounds
  }

  void logOfBinaryGarbage() {
    assertExited(
        0, shell(R"(printf 'a\000\001b\033[31mred\377\376\n\tcaf\303\251 \302\233 \r50%%\r100%%\r\nend\342\202')"));
    const std::string bad = "\xEF\xBF\xBD";
    CPPUNIT_ASSERT_EQUAL("a" + bad + "b" + bad + "[31mred" + bad + "\n\tcaf\xC3\xA9 " + bad + " \n50%\n100%\nend" + bad,
                         log_);
    assertExited(0, shell("head -c 200000 /dev/urandom"));
    CPPUNIT_ASSERT(log_.size() <= 3 * services::LogTail::mostBytes);
    for (const char c : log_) {
      CPPUNIT_ASSERT(static_cast<unsigned char>(c) >= ' ' || c == '\n' || c == '\t');
    }
  }

  void logOfManyLines() {
    services::LogTail log;
    std::string all;
    for (int line = 0; line < 20000; ++line) {
      const auto text = "line " + std::to_string(line) + " \xC3\xA9\n";
      log.append(text);
      all += text;
    }
    const auto kept = log.text().substr(5);
    CPPUNIT_ASSERT(kept.size() <= services::LogTail::mostBytes && kept.size() + 2 > services::LogTail::mostBytes);
    CPPUNIT_ASSERT_EQUAL(all.substr(all.size() - kept.size()), kept);
    services::LogTail few;
    few.append("one");
    CPPUNIT_ASSERT_EQUAL(std::string("one"), few.text());
    few.append(std::string(100000, 'x'));
    CPPUNIT_ASSERT_EQUAL("[...]" + std::string(services::LogTail::mostBytes, 'x'), few.text());
  }

private:
  static bool becomes(const std::function<bool()> &isSo) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!isSo() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(20ms);
    }
    return isSo();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SandboxLimitsTest);

} // namespace
