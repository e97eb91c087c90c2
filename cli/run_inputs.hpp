// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/algorithm_name.hpp"
#include "cli/context.hpp"
#include "cli/outgoing_file.hpp"
#include "cli/progress.hpp"
#include "domain/messages.hpp"
#include "services/remote_instance.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace waybill::cli {

/// One "name=value" of a command line.
struct NamedArgument {
  std::string name;
  std::string value;
};
/// Throws WrongUsage for what has no name; `what` and `example` say what it should have been.
[[nodiscard]] std::vector<NamedArgument> namedArguments(const std::vector<std::string> &texts, const std::string &what,
                                                        const std::string &example);

/// The inputs of a run, by whatever the user has: files and standard input, which go with the message; URLs, which the
/// instance fetches; data of the called or of another instance, which it reads on the user's behalf.
class RunInputs {
public:
  /// `called` and `progress` must outlive this. `name` is how the user names what is run there.
  RunInputs(services::RemoteInstance &called, AlgorithmName name, Context &context, Progress &progress);

  /// `contentType`: empty when the user does not say. Throws WrongUsage for what can mean nothing, and Fault naming the
  /// input for what is not there.
  void add(const NamedArgument &argument, const std::string &contentType);

  /// What goes into the request, and the parts with their bytes. Valid while this lives.
  [[nodiscard]] const std::vector<NamedData> &data() const noexcept { return data_; }
  [[nodiscard]] const std::vector<soap::OutgoingPart> &parts() const noexcept { return parts_; }
  /// False when standard input is among them.
  [[nodiscard]] bool areRepeatable() const noexcept { return repeatable_; }
  /// Paths of the called instance that it has to read.
  [[nodiscard]] const std::vector<std::string> &paths() const noexcept { return paths_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

private:
  [[nodiscard]] Data find(const NamedArgument &argument);
  [[nodiscard]] Data remote(const std::string &name);
  [[nodiscard]] Data attached(const OutgoingFile &file, std::optional<std::string> contentType);
  [[nodiscard]] Data file(const std::string &path);

  services::RemoteInstance &called_;
  AlgorithmName name_;
  Context &context_;
  Progress &progress_;
  std::deque<OutgoingFile> files_; ///< a deque: parts refer to its elements
  std::vector<NamedData> data_;
  std::vector<soap::OutgoingPart> parts_;
  std::vector<std::string> paths_;
  bool repeatable_ = true;
  std::uint64_t bytes_ = 0;
};

} // namespace waybill::cli
