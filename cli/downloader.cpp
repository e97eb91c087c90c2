// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/downloader.hpp"

#include "cli/checked_copy.hpp"
#include "cli/token_resources.hpp"
#include "domain/fault.hpp"

#include <algorithm>
#include <iterator>

namespace waybill::cli {

namespace {

constexpr std::size_t batchFiles = 1000;
constexpr std::uint64_t batchBytes = 64ULL << 20U;
/// From here on one sync of the whole file system is cheaper than one for each file.
constexpr std::size_t manyFiles = 8;
/// How often a file is begun again that the connection did not last for.
constexpr int fruitlessCuts = 3;

bool concernsOneFile(FaultCode code) {
  switch (code) {
  case FaultCode::NoSuchData:
  case FaultCode::NotAllowed:
  case FaultCode::BadParameter:
  case FaultCode::TooLarge: return true;
  default: return false;
  }
}

} // namespace

/// A file that is complete but for its name.
struct Downloader::Finished {
  NewFile file;
  Data data;
};

Downloader::Downloader(services::RemoteInstance &remote, bool replace, Random &random, DownloadEvents events,
                       Progress &progress)
    : remote_(remote), replace_(replace), random_(random), events_(std::move(events)), progress_(progress) {}

void Downloader::add(RemoteFile file) {
  try {
    requireRoomFor(file.local, replace_);
  } catch (const Fault &fault) {
    events_.failed(file.path, fault);
    return;
  }
  const auto size = file.size.value_or(0);
  if (waitingBytes_ + size > batchBytes) {
    flush();
  }
  waitingBytes_ += size;
  waiting_.push_back(std::move(file));
  if (waiting_.size() == batchFiles || waitingBytes_ >= batchBytes) {
    flush();
  }
}

void Downloader::flush() {
  waitingBytes_ = 0;
  if (!waiting_.empty()) {
    fetch(std::exchange(waiting_, {}));
  }
}

/// All in one message, and where that is refused for one of them, in two halves. After a cut, what is missing is asked
/// for again.
void Downloader::fetch(std::vector<RemoteFile> files) {
  progress_.name(files.front().path);
  try {
    for (int cuts = 0; !files.empty();) {
      const auto settled = fetchPart(files, cuts < fruitlessCuts);
      cuts = settled == 0 ? cuts + 1 : 0;
      files.erase(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(settled));
    }
    return;
  } catch (const Fault &fault) {
    if (!concernsOneFile(fault.code())) {
      throw;
    }
    if (files.size() == 1) {
      events_.failed(files.front().path, fault);
      return;
    }
  }
  const auto middle = files.begin() + static_cast<std::ptrdiff_t>(files.size() / 2);
  std::vector<RemoteFile> second(std::make_move_iterator(middle), std::make_move_iterator(files.end()));
  files.erase(middle, files.end());
  fetch(std::move(files));
  fetch(std::move(second));
}

/// Gets from the first on as many as come before the connection breaks; says for how many that was. When it breaks
/// before the first is whole, throws unless `again`.
std::size_t Downloader::fetchPart(std::vector<RemoteFile> &files, bool again) {
  std::vector<Finished> finished;
  std::optional<std::size_t> settled;
  try {
    pull(files, finished, settled);
  } catch (const transport::DeliveryFault &fault) {
    // Without any reply RemoteInstance has tried long enough.
    if (!fault.mayPass() || !settled || (*settled == 0 && !again)) {
      throw;
    }
  }
  settle(finished, files.size() >= manyFiles);
  return settled.value_or(0);
}

/// One Copy. Files whose bytes are wrong, or whose name is taken, are told and left out; `settled` counts them and the
/// finished ones.
void Downloader::pull(std::vector<RemoteFile> &files, std::vector<Finished> &finished,
                      std::optional<std::size_t> &settled) {
  CopyRequest request;
  request.attach = Attach::Mtom;
  services::CallExtras extras;
  std::vector<std::string> paths;
  for (const auto &file : files) {
    request.data.emplace_back().path = file.path;
    paths.push_back(file.path);
  }
  extras.resources = resourcesFor(paths);
  auto reply = remote_.call(request, extras);
  if (reply.message.data.size() != files.size()) {
    throw Fault(FaultCode::InvalidMessage, "the instance was asked for " + std::to_string(files.size()) +
                                               " objects and gave " + std::to_string(reply.message.data.size()));
  }
  settled = 0;
  for (std::size_t i = 0; i < files.size(); settled = ++i) {
    const auto &data = reply.message.data[i];
    if (data.path != files[i].path) {
      throw Fault(FaultCode::InvalidMessage,
                  "the instance was asked for '" + files[i].path + "' and gave '" + data.path.value_or("?") + "'");
    }
    progress_.name(files[i].path);
    if (!files[i].size) {
      files[i].size = data.size;
      progress_.expect(data.size);
    }
    try {
      NewFile file(files[i].local, replace_, random_);
      copyChecked(data, files[i].path, reply.rest.attachments(), file, progress_);
      if (files.size() >= manyFiles && !finished.empty()) {
        file.closeBeside(finished.front().file);
      }
      finished.push_back({std::move(file), data});
    } catch (const Fault &fault) {
      if (fault.code() != FaultCode::DigestMismatch && fault.code() != FaultCode::AlreadyExists) {
        throw;
      }
      events_.failed(files[i].path, fault);
    }
  }
  reply.rest.attachments().finish();
}

void Downloader::settle(std::vector<Finished> &finished, bool together) {
  if (together && !finished.empty()) {
    finished.front().file.syncFileSystem();
  }
  for (auto &[file, data] : finished) {
    try {
      if (!together) {
        file.sync();
      }
      file.commit();
      if (!together) {
        file.syncFolder();
      }
      events_.fetched(file.path(), data);
    } catch (const Fault &fault) {
      events_.failed(data.path.value_or(""), fault);
    }
  }
  if (together && !finished.empty()) {
    finished.front().file.syncFileSystem();
  }
}

Data Downloader::stream(const std::string &path, Sink &sink) {
  CopyRequest request;
  request.attach = Attach::Mtom;
  request.data.emplace_back().path = path;
  services::CallExtras extras;
  extras.resources = {path};
  auto reply = remote_.call(request, extras);
  if (reply.message.data.size() != 1) {
    throw Fault(FaultCode::InvalidMessage,
                "the instance was asked for one object and gave " + std::to_string(reply.message.data.size()), path);
  }
  progress_.expect(reply.message.data.front().size);
  progress_.name(path);
  copyChecked(reply.message.data.front(), path, reply.rest.attachments(), sink, progress_);
  reply.rest.attachments().finish();
  return std::move(reply.message.data.front());
}

} // namespace waybill::cli
