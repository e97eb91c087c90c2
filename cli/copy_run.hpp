// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/copy_plan.hpp"
#include "cli/progress.hpp"
#include "cli/third_party.hpp"
#include "domain/fault.hpp"
#include "domain/transfer.hpp"
#include "services/remote_instance.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace waybill::cli {

/// What became of objects. `transfer` is empty where none was needed.
struct CopyEvents {
  /// `receipt`: what the destination says of its copy; null when it is not known.
  std::function<void(const CopyItem &item, const std::string &transfer, const Data *receipt)> copied;
  std::function<void(const CopyBatch &items, const std::string &transfer, const Fault &fault)> failed;
  /// An attempt has failed, and there will be another one; told once for each reason.
  std::function<void(const CopyBatch &items, const std::string &lastError)> delayed;
};

/// Transfers from one instance to another, begun and followed. What fails for some objects is told to `events.failed`,
/// and the others go on; what concerns an instance as a whole is thrown, and leaves running what has begun. The reason
/// of every fault says which side it is about.
class CopyRun {
public:
  /// All references must outlive this.
  CopyRun(ThirdParty &calls, services::RemoteInstance &source, services::RemoteInstance &destination, CopyEvents events,
          Progress &progress);

  /// Takes out of `items` what is on its way to its place already, to follow it instead of beginning anew.
  void join(CopyBatch &items);
  /// Has the source send them all, a few messages at a time, and waits until each transfer has ended, joined ones too.
  void send(CopyBatch items);
  /// Begins them all, and waits for nothing.
  void begin(CopyBatch items);
  /// Has the destination fetch them, message after message.
  void pull(CopyBatch items);

  /// Ids of the transfers that had not ended when they were looked at last.
  [[nodiscard]] std::vector<std::string> underWay() const;

private:
  struct Watched {
    CopyBatch items;
    bool joined = false;
    std::uint64_t shown = 0; ///< told to the progress bar
    std::optional<std::string> lastError;
  };

  void beginNext();
  [[nodiscard]] bool look();
  void end(const Transfer &transfer, Watched watched);
  void succeed(const Transfer &transfer, Watched watched);
  void fail(CopyBatch items, const std::string &transfer, const Fault &fault);
  void show(Watched &watched, std::uint64_t bytes);

  ThirdParty &calls_;
  services::RemoteInstance &source_;
  services::RemoteInstance &destination_;
  CopyEvents events_;
  Progress &progress_;
  std::deque<CopyBatch> waiting_;
  std::map<std::string, Watched> watched_; ///< by the transfer's id
};

} // namespace waybill::cli
