// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "cli/context.hpp"
#include "cli/progress.hpp"
#include "domain/messages.hpp"
#include "services/algorithms/arguments.hpp"
#include "services/remote_instance.hpp"

#include <functional>
#include <string>
#include <vector>

namespace waybill::cli {

/// Where the outputs of a run go on this machine: each into a folder under its name, with the ending of its type; the
/// only one into a file, or to standard output.
class LocalResults {
public:
  /// `target` as the user gives it: a folder when it ends in "/", is one, or there are several outputs; "-"; else a
  /// file. `replace`: files that are there. `values` are the parameters of the run, which types may depend on.
  LocalResults(std::string target, bool replace, const AlgorithmDescription &algorithm,
               const services::ParameterValues &values);

  /// Before the run: throws Fault AlreadyExists for a file that is there, and WrongUsage when several outputs would go
  /// to standard output.
  void check() const;

  /// Takes the bytes out of the reply, compares digests, and gives the files their names once all are there and right;
  /// tells each to `taken`, `file` being empty for standard output. Throws Fault DigestMismatch and InvalidMessage, and
  /// then has left no file.
  void take(services::RemoteReply<InvokeResponse> &reply, Random &random, Progress &progress,
            const std::function<void(const NamedData &output, const std::string &file)> &taken) const;

private:
  [[nodiscard]] bool isFolder() const;
  [[nodiscard]] std::string fileFor(const std::string &output, const std::string &contentType) const;
  void checkReply(const InvokeResponse &response) const;

  std::string target_;
  bool replace_;
  const AlgorithmDescription &algorithm_;
  const services::ParameterValues &values_;
};

} // namespace waybill::cli
