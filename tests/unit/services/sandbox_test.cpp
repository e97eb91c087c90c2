// SPDX-License-Identifier: GPL-3.0-or-later
#include "sandbox_fixture.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <map>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace waybill;
using services::LogTail;
using services::Sandbox;
using services::SandboxResult;

/// What programs in the sandbox see, and what they get at.
class SandboxTest : public test::SandboxFixture {
  CPPUNIT_TEST_SUITE(SandboxTest);
  CPPUNIT_TEST(aProgramRuns);
  CPPUNIT_TEST(exitStatusIsTheProgramsOwn);
  CPPUNIT_TEST(environmentIsWhatWasSaid);
  CPPUNIT_TEST(inputsAreReadOnly);
  CPPUNIT_TEST(manyInputs);
  CPPUNIT_TEST(standardInputAndOutput);
  CPPUNIT_TEST(theHomeIsNotThere);
  CPPUNIT_TEST(noDescriptorIsInherited);
  CPPUNIT_TEST(noNetwork);
  CPPUNIT_TEST(noOtherProcesses);
  CPPUNIT_TEST(noPrivileges);
  CPPUNIT_TEST(noNewNamespaces);
  CPPUNIT_TEST(nothingElseIsWritable);
  CPPUNIT_TEST(noMemoryOutsideOfTheCount);
  CPPUNIT_TEST(buffersStaySmall);
  CPPUNIT_TEST(onlyUsualSockets);
  CPPUNIT_TEST(justInTimeCompilersWork);
  CPPUNIT_TEST(usualProgramsWork);
  CPPUNIT_TEST(furtherFolders);
  CPPUNIT_TEST(whatWouldShowTheHomeIsRefused);
  CPPUNIT_TEST(aProgramThatIsNotThere);
  CPPUNIT_TEST(unsafeNamesAndArguments);
  CPPUNIT_TEST(anInputThatNobodyMayRead);
  CPPUNIT_TEST(twoAtOnce);
  CPPUNIT_TEST(blockedSignalsAreNotInherited);
  CPPUNIT_TEST(available);
  CPPUNIT_TEST(withoutBwrap);
  CPPUNIT_TEST(whenBwrapFails);
  CPPUNIT_TEST_SUITE_END();

public:
  void aProgramRuns() {
    input("text", "b\na\n");
    task_.command = {"sort", "/in/text", "-o", "/out/sorted"};
    const auto result = run();
    assertExited(0, result);
    CPPUNIT_ASSERT_EQUAL(std::string("a\nb\n"), contentOf(out_ + "/sorted"));
    CPPUNIT_ASSERT_EQUAL(std::string(), log_);
    CPPUNIT_ASSERT(result.limit.empty());
    CPPUNIT_ASSERT(result.wall > std::chrono::milliseconds(0));
  }

  void exitStatusIsTheProgramsOwn() {
    assertExited(3, shell("echo to the log; echo and this >&2; exit 3"));
    CPPUNIT_ASSERT_EQUAL(std::string("to the log\nand this\n"), log_);
    assertExited(128 + SIGTERM, shell("kill -TERM $$"));
    assertExited(128 + SIGKILL, shell("kill -KILL $$"));
    assertExited(127, shell("exec /usr/bin/not-there"));
  }

  void environmentIsWhatWasSaid() {
    ::setenv("WAYBILL_SECRET", "do not tell", 1);
    task_.environment = {{"LEVEL", "a b=c"}};
    assertExited(0, shell("env | sort; cat /proc/*/environ 2>/dev/null | grep -c 'do not tell'; true"));
    ::unsetenv("WAYBILL_SECRET");
    CPPUNIT_ASSERT_EQUAL(std::string("HOME=/tmp\nLC_ALL=C.UTF-8\nLEVEL=a b=c\nPATH=/usr/local/bin:/usr/bin:/bin\n"
                                     "PWD=/out\n0\n"),
                         log_);
    task_.environment = {{"HOME", "/out"}, {"LC_ALL", "C"}};
    task_.command = {"env"};
    assertExited(0, run());
    assertHas(log_, "HOME=/out\nLC_ALL=C\n");
  }

  void inputsAreReadOnly() {
    const auto path = input("data.bin", "as it was");
    assertExited(0, shell("cat /in/data.bin; echo; echo no > /in/data.bin; rm -f /in/data.bin; chmod 777 /in/data.bin; "
                          "echo no > /in/other; rm -rf /in; cat /in/data.bin"));
    CPPUNIT_ASSERT_EQUAL(std::string("as it was"), contentOf(path));
    assertHas(log_, "as it was\n");
    assertHas(log_, "Read-only file system");
    CPPUNIT_ASSERT(std::filesystem::is_empty(out_));
  }

  void manyInputs() {
    for (int number = 0; number < 100; ++number) {
      input("many/" + std::to_string(number), std::to_string(number) + "\n");
    }
    assertExited(0, shell("cat /in/many/* | wc -l; cat /in/many/99"));
    CPPUNIT_ASSERT_EQUAL(std::string("100\n99\n"), log_);
    task_.inputs.resize(services::SandboxTask::mostInputs + 1, task_.inputs.front());
    assertFault(FaultCode::BadParameter, "1000", [this] { run(); });
  }

  void standardInputAndOutput() {
    input("text", "hello\n");
    task_.standardInput = "text";
    task_.standardOutput = "result";
    assertExited(0, shell("tr a-z A-Z; echo a message >&2"));
    CPPUNIT_ASSERT_EQUAL(std::string("HELLO\n"), contentOf(out_ + "/result"));
    CPPUNIT_ASSERT_EQUAL(std::string("a message\n"), log_);
    freshOut();
    assertExited(0, shell("cat; echo nothing was there")); // /dev/null
    CPPUNIT_ASSERT_EQUAL(std::string("nothing was there\n"), log_);
    task_.standardInput = "no such input";
    assertFault(FaultCode::Internal, "no such input", [this] { run(); });
    task_.standardInput.reset();
    task_.standardOutput = "../result";
    assertFault(FaultCode::Internal, "../result", [this] { run(); });
  }

  void theHomeIsNotThere() {
    const auto key = home_ + "/keys/instance.pem";
    assertExited(
        0, shell("cat " + key + "; for root in /proc/[0-9]*/root /proc/[0-9]*/cwd; do cat $root" + key +
                 "; done; cat /out/../../keys/*; cat /out/../keys/*; ls /; ls /tmp /root /home /var /etc/ssl; "
                 "echo \"found: [$(find / -name instance.pem 2>/dev/null)$(grep -rl 'text of a key' /out /in /tmp "
                 "/proc/self/fd/ 2>/dev/null)]\""));
    CPPUNIT_ASSERT_MESSAGE(log_, !has(log_, secret));
    assertHas(log_, "found: []");
    assertHas(log_, key + ": No such file or directory");
    assertHas(log_, "'/root': No such file");
    assertHas(log_, "'/etc/ssl': No such file");
  }

  void noDescriptorIsInherited() {
    // As a careless part of the daemon would: without O_CLOEXEC.
    const int key = ::open((home_ + "/keys/instance.pem").c_str(), O_RDONLY);
    const int folder = ::open(home_.c_str(), O_RDONLY | O_DIRECTORY);
    CPPUNIT_ASSERT(key >= 0 && folder >= 0);
    const auto result = python("import os\n"
                               "print(sorted(int(fd) for fd in os.listdir('/proc/self/fd')))\n"
                               "for fd in range(3, 256):\n"
                               "  for read in (lambda: os.read(fd, 99), lambda: os.listdir(fd)):\n"
                               "    try: print('got', fd, read())\n"
                               "    except OSError: pass\n");
    ::close(key);
    ::close(folder);
    assertExited(0, result);
    CPPUNIT_ASSERT_EQUAL(std::string("[0, 1, 2, 3]\n"), log_); // 3 is the listing's own
  }

  void noNetwork() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto *const bare = reinterpret_cast<sockaddr *>(&address);
    CPPUNIT_ASSERT(::bind(listener, bare, length) == 0 && ::listen(listener, 5) == 0 &&
                   ::getsockname(listener, bare, &length) == 0);
    const auto port = std::to_string(ntohs(address.sin_port));
    const auto result = python("import socket\n"
                               "for kind in (socket.AF_INET, socket.AF_VSOCK, socket.AF_NETLINK, socket.AF_PACKET):\n"
                               "  try:\n"
                               "    s = socket.socket(kind, socket.SOCK_STREAM)\n"
                               "    s.connect(('127.0.0.1', " +
                               port +
                               "))\n"
                               "    s.send(b'hello')\n"
                               "    print('connected')\n"
                               "  except OSError as error: print(error.strerror)\n");
    pollfd arrived{listener, POLLIN, 0};
    const int arrivals = ::poll(&arrived, 1, 200);
    // The listener works: otherwise nothing was shown.
    const int own = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool reachable = ::connect(own, bare, length) == 0 && ::poll(&arrived, 1, 2000) == 1;
    ::close(own);
    ::close(listener);
    assertExited(0, result);
    CPPUNIT_ASSERT_EQUAL(0, arrivals);
    CPPUNIT_ASSERT(reachable);
    const std::string none = "Address family not supported by protocol\n";
    CPPUNIT_ASSERT_EQUAL("Connection refused\n" + none + none + none, log_);
  }

  void noOtherProcesses() {
    const auto own = std::to_string(::getpid());
    assertExited(
        0, shell("ls -d /proc/[0-9]* | wc -l; cat /proc/" + own + "/cmdline; kill -9 " + own + "; kill -9 -1; true"));
    CPPUNIT_ASSERT_MESSAGE(log_, std::stoi(log_) <= 5);
    assertHas(log_, "/proc/" + own + "/cmdline: No such file");
    assertHas(log_, "No such process");
    // The sandbox's own first process is not the program's to kill or to read.
    assertExited(0, shell("kill -9 1; cat /proc/1/environ > /dev/null; echo still here"));
    assertHas(log_, "still here");
  }

  void noPrivileges() {
    assertExited(0, shell("id -u; id -g; grep -E '^(Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status; "
                          "su -c id; chown 0 /out; mount -t tmpfs x /out; hostname"));
    assertHas(log_, "65534\n65534\n");
    for (const std::string set : {"Prm", "Eff", "Amb"}) {
      assertHas(log_, "Cap" + set + ":\t0000000000000000\n");
    }
    assertHas(log_, "NoNewPrivs:\t1\n");
    assertHas(log_, "Seccomp:\t2\n");
    CPPUNIT_ASSERT_MESSAGE(log_, !has(log_, "uid=0"));
    assertHas(log_, "\nsandbox\n");
  }

  void noNewNamespaces() {
    assertExited(0, shell("for kind in user mount pid net; do unshare --$kind true && echo had; done; "
                          "unshare --user --map-root-user true && echo had; true"));
    CPPUNIT_ASSERT_MESSAGE(log_, !has(log_, "had"));
    assertHas(log_, "Operation not permitted");
    // By clone() and clone3() as well: CLONE_NEWUSER is 0x10000000.
    assertExited(0, python("import ctypes, os\n"
                           "libc = ctypes.CDLL(None, use_errno=True)\n"
                           "number = {'x86_64': 56}.get(os.uname().machine, 220)\n"
                           "for call in ((number, 0x10000000 | 17, 0, 0, 0, 0), (435, 0, 0)):\n"
                           "  print(libc.syscall(*call), ctypes.get_errno())\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("-1 1\n-1 38\n"), log_); // EPERM, ENOSYS
  }

  void nothingElseIsWritable() {
    assertExited(0, shell("for place in / /usr /usr/bin /in /dev /etc /bin /proc /proc/sys/kernel; do "
                          "touch $place/mine 2>/dev/null && echo wrote $place; done; "
                          "find / -xdev -writable -not -type l 2>/dev/null | grep -vE '^/(proc|dev/|tmp$|out$)'; "
                          "touch /out/a /tmp/b /dev/shm/c && echo but here"));
    CPPUNIT_ASSERT_EQUAL(std::string("but here\n"), log_);
  }

  void noMemoryOutsideOfTheCount() {
    assertExited(0, python("import ctypes, os\n"
                           "libc = ctypes.CDLL(None, use_errno=True)\n"
                           "try: print(os.memfd_create('x'))\n"
                           "except OSError as error: print(error.errno)\n"
                           "print(libc.shmget(0, 4096, 0o1600), ctypes.get_errno())\n"
                           "print(libc.msgget(0, 0o1600), ctypes.get_errno())\n"
                           "fd = os.open('/out/x', os.O_RDWR | os.O_CREAT)\n"
                           "print(libc.fallocate(fd, 0, 0, 4096), ctypes.get_errno())\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("38\n-1 38\n-1 38\n-1 95\n"), log_);
  }

  void buffersStaySmall() {
    assertExited(0, python("import fcntl, os, socket\n"
                           "a, b = socket.socketpair()\n"
                           "for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):\n"
                           "  before = a.getsockopt(socket.SOL_SOCKET, option)\n"
                           "  a.setsockopt(socket.SOL_SOCKET, option, 4 * before)\n"
                           "  print(a.getsockopt(socket.SOL_SOCKET, option) - before)\n"
                           "a.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)\n"
                           "print(a.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))\n"
                           "for option in (32, 33):\n" // SO_SNDBUFFORCE, SO_RCVBUFFORCE
                           "  try: a.setsockopt(socket.SOL_SOCKET, option, 1000000); print('done')\n"
                           "  except OSError as error: print(error.errno)\n"
                           "r, w = os.pipe()\n"
                           "try: fcntl.fcntl(w, 1031, 1 << 20)\n" // F_SETPIPE_SZ
                           "except OSError as error: print(error.errno)\n"
                           "print(fcntl.fcntl(w, 1032), fcntl.fcntl(w, fcntl.F_GETFD))\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("0\n0\n1\n1\n1\n1\n65536 1\n"), log_);
  }

  void onlyUsualSockets() {
    assertExited(
        0, python("import ctypes\n"
                  "libc = ctypes.CDLL(None, use_errno=True)\n"
                  "for family, kind, protocol in ((1, 1, 0), (1, 2, 0), (1, 5, 0), (2, 1, 0), (2, 2, 0), (10, 1, 6),\n"
                  "    (10, 0o2000002, 17), (2, 5, 0), (2, 6, 33), (2, 1, 132), (2, 1, 262), (2, 3, 1), (2, 2, 136)):\n"
                  "  print(0 if libc.socket(family, kind, protocol) >= 0 else ctypes.get_errno(), end=' ')\n"
                  "pair = (ctypes.c_int * 2)()\n"
                  "print(libc.socketpair(1, 1, 0, pair), libc.socketpair(30, 2, 0, pair), ctypes.get_errno())\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("0 0 0 0 0 0 0 94 94 93 93 94 93 0 -1 97\n"), log_);
  }

  void justInTimeCompilersWork() {
    if (::access("/usr/bin/node", X_OK) != 0) {
      return; // interop tests need it, and this is its other use
    }
    task_.limits.processes = 64;
    task_.command = {"node", "-e", "let sum = 0; for (let i = 0; i < 1e7; i++) sum += i % 7; console.log(sum)"};
    assertExited(0, run());
    CPPUNIT_ASSERT_EQUAL(std::string("29999994\n"), log_);
  }

  void usualProgramsWork() {
    // Threads, processes, shared memory, temporary files, locks, pipes, terminals that are not there.
    assertExited(0, python("import multiprocessing as m, tempfile, threading, subprocess, sys\n"
                           "from multiprocessing import shared_memory\n"
                           "t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()\n"
                           "with m.Pool(2) as pool: print(sum(pool.map(abs, [-1, -2])))\n"
                           "s = shared_memory.SharedMemory(create=True, size=100); s.close(); s.unlink()\n"
                           "with tempfile.NamedTemporaryFile() as f: f.write(b'x')\n"
                           "print(subprocess.run(['sh', '-c', 'echo $((1+1)) | cat'], stdout=subprocess.PIPE).stdout)\n"
                           "print(sys.stdin.read() == '')\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("thread\n3\nb'2\\n'\nTrue\n"), log_);
  }

  void furtherFolders() {
    std::string name = std::filesystem::temp_directory_path() / "waybill-model-XXXXXX";
    CPPUNIT_ASSERT(mkdtemp(name.data()) != nullptr);
    std::filesystem::permissions(name, std::filesystem::perms(0755));
    write(name + "/model", "weights");
    write(name + "/program", "#!/bin/sh\ncat " + name + "/model\n");
    std::filesystem::permissions(name + "/program", std::filesystem::perms(0755));
    options_.readOnly = {name};
    task_.command = {name + "/program"};
    const auto result = run();
    const auto said = log_;
    options_.readOnly = {};
    assertFault(FaultCode::AlgorithmFailed, "is in no folder that algorithms may read", [this] { run(); });
    services::removeFolder(name);
    assertExited(0, result);
    CPPUNIT_ASSERT_EQUAL(std::string("weights"), said);
  }

  void whatWouldShowTheHomeIsRefused() {
    const auto link = home_ + "-link";
    std::filesystem::create_symlink(home_ + "/keys", link);
    const auto parent = std::filesystem::path(home_).parent_path().string();
    task_.command = {"true"};
    for (const auto &folder : {home_, home_ + "/", home_ + "/job", parent, std::string("/"), link}) {
      options_.readOnly = {folder};
      assertFault(FaultCode::Internal, home_, [this] { run(); });
      assertHas(Sandbox(options_).unavailable(), "take that folder out");
    }
    std::filesystem::remove(link);
    options_.readOnly = {};
    options_.home = "/usr/local/waybill";
    assertFault(FaultCode::Internal, "/usr/local/waybill", [this] { run(); });
  }

  void aProgramThatIsNotThere() {
    options_.programs = home_ + "/programs";
    write(home_ + "/program", "#!/bin/sh\n"); // in the home, and not in programs/
    std::filesystem::create_directory(options_.programs);
    write(options_.programs + "/closed", "#!/bin/sh\n");
    std::filesystem::permissions(options_.programs + "/closed", std::filesystem::perms(0644));
    const std::string none = "there is no ";
    for (const auto &[program, why] :
         std::map<std::string, std::string>{{"no-such-program", none + "/usr/bin/no-such-program on this machine"},
                                            {"/usr/bin/no-such-program", none},
                                            {"relative/program", none},
                                            {"/programs/none", none + "/programs/none"},
                                            {"/programs/closed", "may not be executed"},
                                            {"/usr/bin", "no program, but a folder"},
                                            {"/etc/passwd", "in no folder that algorithms may read"},
                                            {home_ + "/program", "in no folder that algorithms may read"},
                                            {"/usr/lib/os-release", "may not be executed"},
                                            {"", "no program"}}) {
      assertHas(Sandbox(options_).whyNotRunnable(program), why);
      task_.command = {program};
      assertFault(FaultCode::AlgorithmFailed, why, [this] { run(); });
    }
    for (const std::string program : {"true", "/usr/bin/true", "/bin/true", "/in/program"}) {
      CPPUNIT_ASSERT_EQUAL(std::string(), Sandbox(options_).whyNotRunnable(program));
    }
    std::filesystem::permissions(options_.programs + "/closed", std::filesystem::perms(0755));
    CPPUNIT_ASSERT_EQUAL(std::string(), Sandbox(options_).whyNotRunnable("/programs/closed"));
  }

  void unsafeNamesAndArguments() {
    const auto path = input("text", "x");
    for (const std::string name : {"", "/etc/x", "../out/x", "a/../b", "a//b", "a/", ".", "line\nfeed"}) {
      task_.inputs = {{path, name}};
      task_.command = {"true"};
      assertFault(FaultCode::Internal, "not safe", [this] { run(); });
    }
    task_.inputs.clear();
    task_.command = {"echo", std::string("a\0b", 3)};
    assertFault(FaultCode::BadParameter, "zero byte", [this] { run(); });
    task_.command = {"echo", std::string(10'000'000, 'x')};
    assertFault(FaultCode::BadParameter, "too long", [this] { run(); });
    // What looks like an option of the programs in between stays the program's.
    task_.command = {"echo", "--ro-bind", "/", "/all", "--", "-n"};
    assertExited(0, run());
    CPPUNIT_ASSERT_EQUAL(std::string("--ro-bind / /all -- -n\n"), log_);
  }

  void anInputThatNobodyMayRead() {
    const auto path = input("text", "x");
    std::filesystem::permissions(path, std::filesystem::perms(0600));
    task_.command = {"cat", "/in/text"};
    if (::geteuid() == 0) {
      assertFault(FaultCode::Internal, "letProgramsRead", [this] { run(); });
      services::letProgramsRead(path);
    }
    assertExited(0, run());
    task_.inputs = {{home_ + "/not-there", "text"}};
    assertFault(FaultCode::Internal, "not-there", [this] { run(); });
    task_.inputs = {{home_, "text"}};
    assertFault(FaultCode::Internal, "regular file", [this] { run(); });
  }

  void twoAtOnce() {
    const Sandbox sandbox(options_);
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (const std::string name : {"one", "two", "three"}) {
      const auto out = home_ + "/" + name;
      std::filesystem::create_directory(out);
      threads.emplace_back([&sandbox, &right, name, out] {
        for (int round = 0; round < 3; ++round) {
          services::SandboxTask task;
          LogTail log;
          task.outFolder = out;
          task.command = {"sh", "-c", "sleep 0.1; echo " + name + "; echo $$ > /out/" + name + "; ls /out"};
          try {
            const auto result = sandbox.run(task, log, [] { return false; });
            right += result.exitStatus == 0 && log.text() == name + "\n" + name + "\n" ? 1 : 0;
          } catch (const Fault &) {
            return; // it is not counted
          }
        }
      });
    }
    for (auto &thread : threads) {
      thread.join();
    }
    CPPUNIT_ASSERT_EQUAL(9, right.load());
  }

  void blockedSignalsAreNotInherited() {
    sigset_t blocked;
    sigset_t before;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
    const auto *const ignored = ::signal(SIGPIPE, SIG_IGN) == SIG_ERR ? "no" : "yes";
    const auto result = shell("grep ^SigBlk: /proc/self/status; kill -PIPE $$; echo still here");
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    CPPUNIT_ASSERT_EQUAL(std::string("yes"), std::string(ignored));
    assertExited(128 + SIGPIPE, result);
    CPPUNIT_ASSERT_EQUAL(std::string("SigBlk:\t0000000000000000\n"), log_);
  }

  void available() { CPPUNIT_ASSERT_EQUAL(std::string(), Sandbox(options_).unavailable()); }

  void withoutBwrap() {
    options_.bwrap = home_ + "/bwrap";
    task_.command = {"true"};
    assertFault(FaultCode::Internal, "install bubblewrap", [this] { run(); });
    assertHas(Sandbox(options_).unavailable(), home_ + "/bwrap is not there");
  }

  void whenBwrapFails() {
    options_.bwrap = home_ + "/bwrap";
    write(options_.bwrap, "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n");
    std::filesystem::permissions(options_.bwrap, std::filesystem::perms(0755));
    task_.command = {"true"};
    assertFault(FaultCode::Internal, "No permissions to create new namespace", [this] { run(); });
    // The text of a program is no sign of it.
    options_.bwrap = "/usr/bin/bwrap";
    assertExited(1, shell("echo 'bwrap: No permissions to create new namespace' >&2; exit 1"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SandboxTest);

} // namespace
