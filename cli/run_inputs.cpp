// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/run_inputs.hpp"

#include "cli/media_types.hpp"
#include "cli/remote_list.hpp"
#include "cli/remote_name.hpp"
#include "cli/side_fault.hpp"
#include "cli/third_party.hpp"
#include "cli/url_source.hpp"
#include "cli/usage.hpp"
#include "domain/text.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

namespace waybill::cli {

namespace {

/// The bytes of a file; throws Fault when it is none.
std::uint64_t sizeOf(const std::string &path) {
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (!failed && std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw Fault(FaultCode::BadParameter, "'" + path +
                                             "' is no regular file; pack a folder into one file, and give what comes "
                                             "from a pipe on standard input: NAME=-");
  }
  const auto size = failed ? 0 : std::filesystem::file_size(path, failed);
  if (failed) {
    throw Fault(FaultCode::Internal, "cannot read '" + path + "': " + failed.message());
  }
  return size;
}

} // namespace

std::vector<NamedArgument> namedArguments(const std::vector<std::string> &texts, const std::string &what,
                                          const std::string &example) {
  std::vector<NamedArgument> all;
  for (const auto &text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw WrongUsage(what + " such as " + example + ", not '" + printable(text, 200) + "'");
    }
    all.push_back({text.substr(0, equals), text.substr(equals + 1)});
  }
  return all;
}

RunInputs::RunInputs(services::RemoteInstance &called, AlgorithmName name, Context &context, Progress &progress)
    : called_(called), name_(std::move(name)), context_(context), progress_(progress) {}

void RunInputs::add(const NamedArgument &argument, const std::string &contentType) {
  try {
    auto data = find(argument);
    if (!contentType.empty()) {
      data.contentType = contentType;
    }
    if (data.content) {
      parts_.push_back(files_.back().part(data.content->substr(data.content->find(':') + 1), data, progress_));
    }
    data_.push_back({argument.name, std::move(data)});
  } catch (const WrongUsage &) {
    throw;
  } catch (const Fault &fault) {
    throw about("input '" + argument.name + "'", fault);
  }
}

Data RunInputs::find(const NamedArgument &argument) {
  const auto &value = argument.value;
  if (value == "-") {
    if (!repeatable_) {
      throw WrongUsage("standard input can be read once, and two inputs are to come from there");
    }
    repeatable_ = false;
    files_.push_back(OutgoingFile::input());
    progress_.expect(std::nullopt);
    return attached(files_.back(), std::nullopt);
  }
  if (value.starts_with('@')) {
    return remote(value.substr(1));
  }
  if (isUrl(value)) {
    Data data;
    data.href = value;
    return data;
  }
  if (std::error_code none; looksRemote(value) && !std::filesystem::exists(value, none)) {
    throw WrongUsage("'" + value + "' is no file here; data of an instance is given as " + argument.name + "=@" +
                     value);
  }
  return file(value);
}

Data RunInputs::file(const std::string &path) {
  const auto size = sizeOf(path);
  files_.emplace_back(path, size);
  progress_.expect(size);
  bytes_ += size;
  return attached(files_.back(), mediaTypeFor(path));
}

Data RunInputs::attached(const OutgoingFile &file, std::optional<std::string> contentType) {
  Data data;
  data.contentType = std::move(contentType);
  data.content = "cid:" + std::to_string(parts_.size()) + ".input@waybill";
  file.declareIn(data);
  return data;
}

Data RunInputs::remote(const std::string &name) {
  if (!name.starts_with('/') && !looksRemote(name)) {
    throw WrongUsage("'@" + name + "' names no data; write @/path for data of the called instance, and @ALIAS:/path " +
                     "or @https://host:port/path for that of another");
  }
  const auto source = name.starts_with('/') ? RemoteName{name_.instance, name, name_.prefix} : parseRemoteName(name);
  auto holder = context_.remote(source.instance);
  const auto found = describeOne(holder, source);
  if (isSameInstance(holder, called_)) {
    paths_.push_back(*found.path);
  }
  // What goes for the copy that was kept there, and not for the bytes, stays there.
  Data data;
  data.id = found.id;
  data.path = found.path;
  data.contentType = found.contentType;
  data.size = found.size;
  data.digest = found.digest;
  return referenceTo(std::move(data), holder, called_);
}

} // namespace waybill::cli
