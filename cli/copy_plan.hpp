// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/remote_name.hpp"
#include "domain/data.hpp"
#include "domain/messages.hpp"
#include "services/remote_instance.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace waybill::cli {

/// An object, and the path that its copy gets.
struct CopyItem {
  Data from; ///< as the instance that has it tells: with Id, Path, Size and Digest
  std::string path;
};

/// Objects that go in one message.
using CopyBatch = std::vector<CopyItem>;

[[nodiscard]] std::uint64_t bytesOf(const CopyBatch &items);

/// What `source` stands for, and where each object goes: one object takes the path of `target`, or its own name below
/// it when that ends in "/"; a folder (`recursive`, or a name that ends in "/") keeps its name below a target that ends
/// in "/" and takes its place otherwise. Throws Fault NoSuchData when there is nothing.
[[nodiscard]] CopyBatch findSources(services::RemoteInstance &remote, const RemoteName &source, bool recursive,
                                    const RemoteName &target);

/// True when both are known by the same size and digest.
[[nodiscard]] bool sameBytes(const Data &a, const Data &b);

/// What is found about the paths at the destination before anything is copied.
struct TakenEvents {
  std::function<void(const CopyItem &item, const Data &there)> present; ///< the same bytes are there
  std::function<void(const CopyItem &item)> taken;                      ///< others are, and are not to be replaced
};

/// Takes out of `items` what need not, or must not, be copied, after one look at the destination. With
/// Overwrite::Always, and for who may not list there, everything stays.
void leaveOutTaken(CopyBatch &items, services::RemoteInstance &remote, Overwrite overwrite, const TakenEvents &events);

/// At most so much goes in one message.
struct BatchLimits {
  std::size_t objects;
  std::uint64_t bytes;
};
/// In the order they were in; what alone is more than the limit goes alone.
[[nodiscard]] std::vector<CopyBatch> inBatches(CopyBatch items, const BatchLimits &limits);

} // namespace waybill::cli
