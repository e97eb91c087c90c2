// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/output.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace waybill::cli {

using Json = nlohmann::ordered_json;

namespace {

template <class T> void put(Json &json, const char *key, const std::optional<T> &value) {
  if (value) {
    json[key] = *value;
  }
}

void put(Json &json, const char *key, const std::optional<Time> &value) {
  if (value) {
    json[key] = formatUtc(*value);
  }
}

void putReceipt(Json &json, const std::vector<Data> &receipt) {
  if (receipt.empty()) {
    return;
  }
  auto list = Json::array();
  for (const auto &data : receipt) {
    list.push_back(toJson(data));
  }
  json["receipt"] = std::move(list);
}

Json toJson(const ParameterDeclaration &parameter) {
  Json json{{"name", parameter.name},
            {"help", parameter.help},
            {"type", name(parameter.type)},
            {"required", parameter.required}};
  put(json, "default", parameter.byDefault);
  put(json, "minimum", parameter.minimum);
  put(json, "maximum", parameter.maximum);
  if (!parameter.values.empty()) {
    json["values"] = parameter.values;
  }
  put(json, "maxLength", parameter.maxLength);
  put(json, "pattern", parameter.pattern);
  return json;
}

std::string text(const Json &json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// Reasons end in "; what to do": the last such part goes on a line of its own, with the lines that follow, if any.
std::pair<std::string_view, std::string_view> causeAndAdvice(std::string_view reason) {
  const auto split = reason.rfind("; ", reason.find('\n'));
  return split == std::string_view::npos ? std::pair{reason, std::string_view{}}
                                         : std::pair{reason.substr(0, split), reason.substr(split + 2)};
}

} // namespace

Json toJson(const Data &data) {
  auto json = Json::object();
  put(json, "path", data.path);
  put(json, "id", data.id);
  put(json, "size", data.size);
  put(json, "contentType", data.contentType);
  if (data.digest) {
    json["digest"] = {{"algorithm", name(data.digest->algorithm)}, {"value", data.digest->hex}};
  }
  put(json, "secure", data.secure);
  put(json, "created", data.created);
  put(json, "expires", data.expires);
  put(json, "owner", data.owner);
  if (!data.metadata.empty()) {
    auto list = Json::array();
    for (const auto &[name, value] : data.metadata) {
      list.push_back({{"name", name}, {"value", value}});
    }
    json["metadata"] = std::move(list);
  }
  return json;
}

Json toJson(const TrustedKey &key) {
  Json json{{"id", key.instance}};
  put(json, "alias", key.alias);
  put(json, "url", key.url);
  json["revoked"] = key.revoked;
  json["added"] = formatUtc(key.added);
  return json;
}

Json toJson(const Grant &grant) {
  auto rights = Json::array();
  for (const auto right : grant.rights) {
    rights.push_back(name(right));
  }
  Json json{{"id", grant.id},
            {"principal", format(grant.principal)},
            {"rights", std::move(rights)},
            {"prefix", grant.prefix}};
  put(json, "expires", grant.expires);
  json["created"] = formatUtc(grant.created);
  return json;
}

Json toJson(const Transfer &transfer) {
  Json json{{"messageId", transfer.messageId}, {"operation", transfer.operation}, {"owner", transfer.owner},
            {"state", name(transfer.state)},   {"bytesDone", transfer.bytesDone}, {"bytesTotal", transfer.bytesTotal},
            {"attempts", transfer.attempts}};
  put(json, "priority", transfer.priority);
  put(json, "lastError", transfer.lastError);
  json["started"] = formatUtc(transfer.started);
  put(json, "ended", transfer.ended);
  json["sources"] = transfer.sources;
  json["destination"] = transfer.destination;
  putReceipt(json, transfer.receipt);
  return json;
}

Json toJson(const Job &job) {
  Json json{{"id", job.id},
            {"algorithm", job.algorithm},
            {"owner", job.owner},
            {"state", name(job.state)},
            {"phase", name(job.phase)},
            {"attempts", job.attempts}};
  put(json, "priority", job.priority);
  put(json, "lastError", job.lastError);
  put(json, "exitStatus", job.exitStatus);
  if (!job.log.empty()) {
    json["log"] = job.log;
  }
  json["started"] = formatUtc(job.started);
  put(json, "ended", job.ended);
  json["destination"] = job.destination;
  putReceipt(json, job.receipt);
  return json;
}

Json toJson(const AlgorithmDescription &algorithm) {
  auto inputs = Json::array();
  for (const auto &input : algorithm.inputs) {
    inputs.push_back({{"name", input.name},
                      {"help", input.help},
                      {"contentTypes", input.contentTypes},
                      {"required", input.required},
                      {"many", input.many}});
  }
  auto outputs = Json::array();
  for (const auto &output : algorithm.outputs) {
    outputs.push_back({{"name", output.name},
                       {"help", output.help},
                       {"contentType", output.contentType},
                       {"required", output.required}});
  }
  auto parameters = Json::array();
  for (const auto &parameter : algorithm.parameters) {
    parameters.push_back(toJson(parameter));
  }
  return {{"id", algorithm.id},
          {"version", algorithm.version},
          {"title", algorithm.title},
          {"help", algorithm.help},
          {"inputs", std::move(inputs)},
          {"outputs", std::move(outputs)},
          {"parameters", std::move(parameters)},
          {"limits",
           {{"cpuSeconds", algorithm.limits.cpu.count()},
            {"wallSeconds", algorithm.limits.wall.count()},
            {"memoryBytes", algorithm.limits.memory},
            {"processes", algorithm.limits.processes},
            {"outputBytes", algorithm.limits.output}}}};
}

void printText(std::string_view line) {
  if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size()) {
    throw Fault(FaultCode::Internal, std::string("standard output cannot be written: ") + std::strerror(errno));
  }
}

void printJson(const Json &json) { printText(text(json) + "\n"); }

void flushOutput() {
  if (std::fflush(stdout) != 0) {
    throw Fault(FaultCode::Internal, std::string("standard output cannot be written: ") + std::strerror(errno));
  }
}

void JsonList::add(const Json &element) {
  printText((begun_ ? ",\n " : "[") + text(element));
  begun_ = true;
}

void JsonList::end() { printText(begun_ ? "]\n" : "[]\n"); }

std::string forTerminal(std::string_view line) {
  std::string result(line);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto byte = static_cast<unsigned char>(result[i]);
    // C1 controls (U+0080 to U+009F) are C2 80 to C2 9F in UTF-8; some terminals obey them.
    const bool c1 = byte == 0xC2 && i + 1 < result.size() && static_cast<unsigned char>(result[i + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7F || c1) {
      result[i] = '?';
      if (c1) {
        result[++i] = '?';
      }
    }
  }
  return result;
}

std::string linesForTerminal(std::string_view text, std::string_view indent) {
  std::string result;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = std::string(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    result += indent;
    for (std::size_t tab = 0; (tab = line.find('\t')) != std::string::npos;) {
      result += forTerminal(line.substr(0, tab)) + "\t";
      line.erase(0, tab + 1);
    }
    result += forTerminal(line) + "\n";
  }
  return result;
}

std::string padded(const std::string &text, std::size_t width) {
  return text + std::string(width - std::min(width, text.size()), ' ');
}

std::string field(const std::string &name, const std::string &value) {
  static constexpr std::size_t width = 13;
  return value.empty() ? std::string() : padded(name, std::max(width, name.size() + 1)) + forTerminal(value) + "\n";
}

void note(std::string_view line) { std::fprintf(stderr, "waybill: %s\n", forTerminal(line).c_str()); }

void printError(std::string_view doing, const std::exception &error) {
  const auto *fault = dynamic_cast<const Fault *>(&error);
  std::string reason = fault != nullptr ? fault->reason() : error.what();
  auto [cause, advice] = causeAndAdvice(reason);
  std::string line(doing);
  line += line.empty() ? "" : ": ";
  line += cause;
  if (fault != nullptr && !fault->subject().empty() && line.find(fault->subject()) == std::string::npos) {
    line += " (" + fault->subject() + ")";
  }
  if (fault != nullptr && fault->code() != FaultCode::Internal && fault->code() != FaultCode::BadParameter) {
    line += " [" + std::string(name(fault->code())) + "]";
  }
  note(line);
  if (fault != nullptr) {
    for (const auto &way : fault->tried()) {
      std::fprintf(stderr, "  tried: %s\n", forTerminal(way).c_str());
    }
  }
  if (!advice.empty()) {
    std::fputs(linesForTerminal(advice, "  ").c_str(), stderr);
  }
}

} // namespace waybill::cli
