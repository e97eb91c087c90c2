// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/seccomp_filter.hpp"

#include "storage/file_errors.hpp"

#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <span>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <utility>
#include <vector>

namespace waybill::services {

namespace {

// bwrap runs the filter on the machine's own calls alone; those of another architecture are refused.
#if defined(__x86_64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#elif defined(__riscv) && __riscv_xlen == 64
constexpr std::uint32_t architecture = AUDIT_ARCH_RISCV64;
#else
#error "say which AUDIT_ARCH_... this machine has, and where clone() has its flags"
#endif

constexpr std::uint32_t numberAt = offsetof(seccomp_data, nr);
constexpr std::uint32_t architectureAt = offsetof(seccomp_data, arch);
/// The lower half of an argument, counted from 0, on machines that are little-endian.
constexpr std::uint32_t argumentAt(std::uint32_t number) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + number * sizeof(std::uint64_t));
}

constexpr std::uint32_t newNamespaces =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

/// What is refused whatever its arguments are. ENOSYS where programs know another way and take it.
struct Refused {
  long call;
  int error;
};
constexpr Refused refused[] = {
    {SYS_clone3, ENOSYS}, // its flags are in memory, which a filter cannot read; libc then calls clone
    {SYS_unshare, EPERM},
    {SYS_setns, EPERM},
    {SYS_memfd_create, ENOSYS},
    {447, ENOSYS}, // memfd_secret, the same number everywhere; not in older headers
    {SYS_shmget, ENOSYS},
    {SYS_msgget, ENOSYS},
    {SYS_fallocate, EOPNOTSUPP},
    {SYS_io_uring_setup, ENOSYS},
    {SYS_userfaultfd, ENOSYS},
    {SYS_perf_event_open, EPERM},
    {SYS_bpf, EPERM},
    {SYS_add_key, ENOSYS},
    {SYS_request_key, ENOSYS},
    {SYS_keyctl, ENOSYS},
};

class Filter {
public:
  void load(std::uint32_t offset) { add(BPF_LD | BPF_W | BPF_ABS, offset); }
  void keepBits(std::uint32_t bits) { add(BPF_ALU | BPF_AND | BPF_K, bits); }
  /// With 0, the program is told that it was done.
  void refuse(int error) {
    add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (static_cast<std::uint32_t>(error) & SECCOMP_RET_DATA));
  }
  void allow() { add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW); }
  /// Goes over the next `count` instructions unless the loaded value is `value`.
  void unlessEqualSkip(std::uint32_t value, std::uint8_t count) { add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count); }
  void ifEqualSkip(std::uint32_t value, std::uint8_t count) { add(BPF_JMP | BPF_JEQ | BPF_K, value, count, 0); }
  void ifLessSkip(std::uint32_t value, std::uint8_t count) { add(BPF_JMP | BPF_JGE | BPF_K, value, 0, count); }
  void ifNoneSetSkip(std::uint32_t bits, std::uint8_t count) { add(BPF_JMP | BPF_JSET | BPF_K, bits, 0, count); }

  void refuseIfEqual(std::uint32_t value, int error) {
    unlessEqualSkip(value, 1);
    refuse(error);
  }
  /// What `block` says of `call`, whose number is loaded; the block ends in refuse() or allow().
  void onCall(long call, const Filter &block) {
    unlessEqualSkip(static_cast<std::uint32_t>(call), static_cast<std::uint8_t>(block.program_.size()));
    program_.insert(program_.end(), block.program_.begin(), block.program_.end());
  }

  [[nodiscard]] std::span<const sock_filter> program() const { return program_; }

private:
  void add(unsigned code, std::uint32_t value, std::uint8_t ifTrue = 0, std::uint8_t ifFalse = 0) {
    program_.push_back({static_cast<std::uint16_t>(code), ifTrue, ifFalse, value});
  }
  std::vector<sock_filter> program_;
};

Filter onClone() {
  Filter filter;
  filter.load(argumentAt(0));
  filter.ifNoneSetSkip(newNamespaces, 1);
  filter.refuse(EPERM);
  filter.allow();
  return filter;
}

/// AF_UNIX, TCP and UDP. AF_VSOCK reaches the host of a virtual machine from any network namespace, and for other
/// families and protocols the kernel would load modules.
Filter onSocket() {
  Filter filter;
  filter.load(argumentAt(0));
  filter.unlessEqualSkip(AF_UNIX, 1);
  filter.allow();
  filter.ifEqualSkip(AF_INET, 2);
  filter.ifEqualSkip(AF_INET6, 1);
  filter.refuse(EAFNOSUPPORT);
  constexpr std::uint32_t typeBits = 0xF; // the others are SOCK_CLOEXEC and SOCK_NONBLOCK
  filter.load(argumentAt(1));
  filter.keepBits(typeBits);
  filter.ifEqualSkip(SOCK_STREAM, 2);
  filter.ifEqualSkip(SOCK_DGRAM, 1);
  filter.refuse(ESOCKTNOSUPPORT);
  filter.load(argumentAt(2));
  filter.ifEqualSkip(0, 3);
  filter.ifEqualSkip(IPPROTO_TCP, 2);
  filter.ifEqualSkip(IPPROTO_UDP, 1);
  filter.refuse(EPROTONOSUPPORT);
  filter.allow();
  return filter;
}

Filter onSocketpair() {
  Filter filter;
  filter.load(argumentAt(0));
  filter.ifEqualSkip(AF_UNIX, 1);
  filter.refuse(EAFNOSUPPORT);
  filter.allow();
  return filter;
}

/// Buffers stay as small as they are: they are memory of the kernel. That a wish for more is not granted is nothing
/// that programs do not know.
Filter onSetsockopt() {
  Filter filter;
  filter.load(argumentAt(1));
  filter.ifEqualSkip(SOL_SOCKET, 1);
  filter.allow();
  filter.load(argumentAt(2));
  for (const auto &[option, error] : {std::pair(SO_SNDBUF, 0), std::pair(SO_RCVBUF, 0),
                                      std::pair(SO_SNDBUFFORCE, EPERM), std::pair(SO_RCVBUFFORCE, EPERM)}) {
    filter.refuseIfEqual(static_cast<std::uint32_t>(option), error);
  }
  filter.allow();
  return filter;
}

Filter onFcntl() {
  Filter filter;
  filter.load(argumentAt(1));
  filter.refuseIfEqual(F_SETPIPE_SZ, EPERM);
  filter.allow();
  return filter;
}

Filter madeFilter() {
  Filter filter;
  filter.load(architectureAt);
  filter.ifEqualSkip(architecture, 1);
  filter.refuse(ENOSYS);
  filter.load(numberAt);
#if defined(__x86_64__)
  constexpr std::uint32_t x32Calls = 0x40000000; // the x32 interface has numbers of its own for the same calls
  filter.ifLessSkip(x32Calls, 1);
  filter.refuse(ENOSYS);
#endif
  for (const auto &[call, error] : refused) {
    filter.refuseIfEqual(static_cast<std::uint32_t>(call), error);
  }
  filter.onCall(SYS_clone, onClone());
  filter.onCall(SYS_socket, onSocket());
  filter.onCall(SYS_socketpair, onSocketpair());
  filter.onCall(SYS_setsockopt, onSetsockopt());
  filter.onCall(SYS_fcntl, onFcntl());
  filter.allow();
  return filter;
}

} // namespace

storage::FileDescriptor seccompFilter() {
  static const char *const name = "waybill-seccomp";
  storage::FileDescriptor file(::memfd_create(name, MFD_CLOEXEC));
  if (!file.isOpen()) {
    throw storage::systemFault("setting up the sandbox", name, errno);
  }
  const auto filter = madeFilter();
  const auto bytes = std::as_bytes(filter.program());
  storage::writeAllAt(file.get(), 0, bytes, "setting up the sandbox", name);
  return file;
}

} // namespace waybill::services
