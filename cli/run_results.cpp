// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/run_results.hpp"

#include "cli/checked_copy.hpp"
#include "cli/local_file.hpp"
#include "cli/local_folder.hpp"
#include "cli/media_types.hpp"
#include "cli/usage.hpp"
#include "domain/text.hpp"

#include <filesystem>
#include <set>
#include <utility>

namespace waybill::cli {

namespace {

constexpr const char *standardOutput = "-";
constexpr const char *here = "."; ///< not shown in names

} // namespace

LocalResults::LocalResults(std::string target, bool replace, const AlgorithmDescription &algorithm,
                           const services::ParameterValues &values)
    : target_(std::move(target)), replace_(replace), algorithm_(algorithm), values_(values) {}

bool LocalResults::isFolder() const {
  std::error_code none;
  return target_.ends_with('/') || algorithm_.outputs.size() > 1 || std::filesystem::is_directory(target_, none);
}

/// The name within the folder, or the file itself.
std::string LocalResults::fileFor(const std::string &output, const std::string &contentType) const {
  return isFolder() ? withEnding(output, contentType) : target_;
}

void LocalResults::check() const {
  if (target_ == standardOutput) {
    if (algorithm_.outputs.size() > 1) {
      std::string names;
      for (const auto &output : algorithm_.outputs) {
        names += (names.empty() ? "" : ", ") + output.name;
      }
      throw WrongUsage("only a single output goes to standard output, and '" + algorithm_.id + "' has several (" +
                       names + "); give a folder: -o DIR");
    }
    return;
  }
  const auto parent = std::filesystem::path(target_).parent_path();
  if (std::error_code none; !isFolder() && !parent.empty() && !std::filesystem::is_directory(parent, none)) {
    throw Fault(FaultCode::BadParameter, "there is no folder '" + parent.string() + "' for '" + target_ +
                                             "'; make it, or let it be made: -o " + parent.string() + "/");
  }
  for (const auto &output : algorithm_.outputs) {
    const auto file = fileFor(output.name, services::outputContentType(output, values_));
    requireRoomFor(isFolder() && target_ != here ? (std::filesystem::path(target_) / file).string() : file, replace_);
  }
}

/// Names come from the other side, and files are made of them.
void LocalResults::checkReply(const InvokeResponse &response) const {
  std::set<std::string> seen;
  for (const auto &output : response.outputs) {
    if (services::declared(algorithm_.outputs, output.name) == nullptr || !seen.insert(output.name).second) {
      throw Fault(FaultCode::InvalidMessage,
                  "the instance gave an output '" + printable(output.name) +
                      "' that it has not said the algorithm makes, or gave it twice; nothing was kept");
    }
  }
}

void LocalResults::take(services::RemoteReply<InvokeResponse> &reply, Random &random, Progress &progress,
                        const std::function<void(const NamedData &, const std::string &)> &taken) const {
  const auto &outputs = reply.message.outputs;
  checkReply(reply.message);
  for (const auto &output : outputs) {
    progress.expect(output.data.size);
  }
  auto &attachments = reply.rest.attachments();
  if (target_ == standardOutput) {
    OutputSink sink;
    for (const auto &output : outputs) {
      copyChecked(output.data, output.name, attachments, sink, progress);
      taken(output, {});
    }
    attachments.finish();
    return;
  }
  LocalFolder folder(target_);
  std::vector<NewFile> files;
  for (const auto &output : outputs) {
    progress.name(output.name);
    const auto name = fileFor(output.name, output.data.contentType.value_or(""));
    auto &file = files.emplace_back(isFolder() ? folder.prepare(name) : name, replace_, random);
    copyChecked(output.data, output.name, attachments, file, progress);
    file.sync();
  }
  attachments.finish();
  for (std::size_t i = 0; i < files.size(); ++i) {
    files[i].commit();
    files[i].syncFolder();
    const auto &path = files[i].path();
    taken(outputs[i], target_ == here ? path.substr(2) : path);
  }
}

} // namespace waybill::cli
