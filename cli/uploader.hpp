// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/local_tree.hpp"
#include "cli/progress.hpp"
#include "domain/messages.hpp"
#include "services/remote_instance.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace waybill::cli {

/// What goes for everything that is sent.
struct UploadOptions {
  Overwrite overwrite = Overwrite::Never;
  Data common; ///< contentType (none: by file name), secure, expires, metadata
};

/// What became of it.
struct UploadEvents {
  std::function<void(const std::string &local, const Data &receipt)> stored;
  std::function<void(const std::string &local, const std::exception &error)> failed;
};

/// Sends files to one instance: small ones many to a message, large ones each as a stream of its own. Digests are
/// compared with the receipts.
///
/// What fails for one file is told to `events.failed`, and the others go on; what concerns the instance as a whole (not
/// reachable, key not trusted, disk full) is thrown.
class Uploader {
public:
  Uploader(services::RemoteInstance &remote, UploadOptions options, UploadEvents events, Progress &progress);
  ~Uploader();
  Uploader(const Uploader &) = delete;
  Uploader &operator=(const Uploader &) = delete;

  void add(const LocalFile &file);
  /// Sends standard input to that path.
  void addInput(const std::string &remotePath);
  /// Sends what waits. Call at the end.
  void flush();

private:
  struct Item;
  [[nodiscard]] Data describe(const std::string &remotePath, const std::string &localName) const;
  void send(std::vector<Item> items);
  [[nodiscard]] bool leaveOutTaken(std::vector<Item> &items);
  [[nodiscard]] ReceiveResponse receive(const std::vector<Item> &items);
  void check(const Item &item, const Data &receipt);

  services::RemoteInstance &remote_;
  UploadOptions options_;
  UploadEvents events_;
  Progress &progress_;
  std::vector<Item> waiting_;
  std::uint64_t waitingBytes_ = 0;
};

} // namespace waybill::cli
