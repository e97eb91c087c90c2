// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/file_descriptor.hpp"

namespace waybill::services {

/// The system calls that programs in the sandbox may not make, as a file that bwrap's --seccomp reads: what makes new
/// namespaces, memory that belongs to no process and is counted nowhere, disk space faster than it is counted, sockets
/// of any kind but AF_UNIX, TCP and UDP, larger buffers for them and for pipes, and a few interfaces of the kernel that
/// only attackers have a use for. Throws Fault Internal.
[[nodiscard]] storage::FileDescriptor seccompFilter();

} // namespace waybill::services
