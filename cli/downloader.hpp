// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/local_file.hpp"
#include "cli/progress.hpp"
#include "domain/messages.hpp"
#include "domain/random.hpp"
#include "services/remote_instance.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace waybill::cli {

/// An object that is to be fetched, and the file it becomes.
struct RemoteFile {
  std::string path;
  std::string local;
  std::optional<std::uint64_t> size; ///< what the instance said when it was listed; decides how it travels
};

/// What became of it.
struct DownloadEvents {
  std::function<void(const std::string &local, const Data &data)> fetched;
  std::function<void(const std::string &path, const std::exception &error)> failed;
};

/// Fetches objects from one instance: small ones many to a message. A file gets its name when its bytes fit the digest
/// and are on the disk.
///
/// What fails for one object is told to `events.failed`, and the others go on; what concerns the instance as a whole is
/// thrown.
class Downloader {
public:
  Downloader(services::RemoteInstance &remote, bool replace, Random &random, DownloadEvents events, Progress &progress);

  /// `file.local`'s folder has to be there.
  void add(RemoteFile file);
  void flush();
  /// Writes one object to `sink` and compares digests afterwards; throws Fault DigestMismatch. Returns what the
  /// instance says of it.
  Data stream(const std::string &path, Sink &sink);

private:
  struct Finished;
  void fetch(std::vector<RemoteFile> files);
  [[nodiscard]] std::size_t fetchPart(std::vector<RemoteFile> &files, bool again);
  void pull(std::vector<RemoteFile> &files, std::vector<Finished> &finished, std::optional<std::size_t> &settled);
  void settle(std::vector<Finished> &finished, bool together);

  services::RemoteInstance &remote_;
  bool replace_;
  Random &random_;
  DownloadEvents events_;
  Progress &progress_;
  std::vector<RemoteFile> waiting_;
  std::uint64_t waitingBytes_ = 0;
};

} // namespace waybill::cli
