// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/codec_wire.hpp"

namespace waybill::soap {

namespace wire {

namespace {

ParameterType fromWire(wb__ParameterType type) {
  switch (type) {
  case wb__ParameterType::string: return ParameterType::String;
  case wb__ParameterType::integer: return ParameterType::Integer;
  case wb__ParameterType::decimal: return ParameterType::Decimal;
  case wb__ParameterType::boolean: return ParameterType::Boolean;
  case wb__ParameterType::enumeration: return ParameterType::Enumeration;
  }
  throw Fault(FaultCode::InvalidMessage, "Type is none of string, integer, decimal, boolean, enumeration", "wb:Type");
}

wb__ParameterType toWire(ParameterType type) {
  switch (type) {
  case ParameterType::String: return wb__ParameterType::string;
  case ParameterType::Integer: return wb__ParameterType::integer;
  case ParameterType::Decimal: return wb__ParameterType::decimal;
  case ParameterType::Boolean: return wb__ParameterType::boolean;
  case ParameterType::Enumeration: return wb__ParameterType::enumeration;
  }
  throw Fault(FaultCode::Internal, "Type has a value without a name");
}

InputDeclaration fromWire(wb__InputDeclaration &wire) {
  return {std::move(wire.Name), std::move(wire.Help), std::move(wire.ContentType), wire.Required, wire.Many};
}

void toWire(wb__InputDeclaration &wire, const InputDeclaration &input, Arena &) {
  wire.Name = Arena::checked(input.name, "Name");
  wire.Help = Arena::checked(input.help, "Help");
  for (const auto &type : input.contentTypes) {
    wire.ContentType.push_back(Arena::checked(type, "ContentType"));
  }
  wire.Required = input.required;
  wire.Many = input.many;
}

OutputDeclaration fromWire(wb__OutputDeclaration &wire) {
  return {std::move(wire.Name), std::move(wire.Help), std::move(wire.ContentType), wire.Required};
}

void toWire(wb__OutputDeclaration &wire, const OutputDeclaration &output, Arena &) {
  wire.Name = Arena::checked(output.name, "Name");
  wire.Help = Arena::checked(output.help, "Help");
  wire.ContentType = Arena::checked(output.contentType, "ContentType");
  wire.Required = output.required;
}

ParameterDeclaration fromWire(wb__ParameterDeclaration &wire) {
  ParameterDeclaration parameter;
  parameter.name = std::move(wire.Name);
  parameter.help = std::move(wire.Help);
  parameter.type = fromWire(wire.Type);
  parameter.required = wire.Required;
  parameter.byDefault = text(wire.Default);
  parameter.minimum = text(wire.Minimum);
  parameter.maximum = text(wire.Maximum);
  parameter.values = std::move(wire.Value);
  parameter.maxLength = wire.MaxLength != nullptr ? std::optional<std::uint64_t>(*wire.MaxLength) : std::nullopt;
  parameter.pattern = text(wire.Pattern);
  return parameter;
}

void toWire(wb__ParameterDeclaration &wire, const ParameterDeclaration &parameter, Arena &arena) {
  wire.Name = Arena::checked(parameter.name, "Name");
  wire.Help = Arena::checked(parameter.help, "Help");
  wire.Type = toWire(parameter.type);
  wire.Required = parameter.required;
  wire.Default = Arena::text(parameter.byDefault, "Default");
  wire.Minimum = Arena::text(parameter.minimum, "Minimum");
  wire.Maximum = Arena::text(parameter.maximum, "Maximum");
  for (const auto &value : parameter.values) {
    wire.Value.push_back(Arena::checked(value, "Value"));
  }
  wire.MaxLength = arena.makeOptional<ULONG64>(parameter.maxLength);
  wire.Pattern = Arena::text(parameter.pattern, "Pattern");
}

AlgorithmDescription fromWire(wb__Algorithm &wire);
void toWire(wb__Algorithm &wire, const AlgorithmDescription &algorithm, Arena &arena);
NamedData fromWire(wb__NamedData &wire);
void toWire(wb__NamedData &wire, const NamedData &named, Arena &arena);
NamedValue fromWire(wb__Parameter &wire);
void toWire(wb__Parameter &wire, const NamedValue &parameter, Arena &arena);

/// Every element of a list, in its order.
template <class T, class Wire> void takeAll(std::vector<T> &all, std::vector<Wire *> &wire) {
  for (auto *one : wire) {
    all.push_back(fromWire(*one));
  }
}
template <class T, class Wire> void giveAll(std::vector<Wire *> &wire, const std::vector<T> &all, Arena &arena) {
  for (const auto &one : all) {
    wire.push_back(arena.make<Wire>());
    toWire(*wire.back(), one, arena);
  }
}

AlgorithmDescription fromWire(wb__Algorithm &wire) {
  AlgorithmDescription algorithm;
  algorithm.id = std::move(wire.Id);
  algorithm.version = std::move(wire.Version);
  algorithm.title = std::move(wire.Title);
  algorithm.help = std::move(wire.Help);
  takeAll(algorithm.inputs, wire.InputDeclaration);
  takeAll(algorithm.outputs, wire.OutputDeclaration);
  takeAll(algorithm.parameters, wire.ParameterDeclaration);
  if (wire.Limits != nullptr) {
    algorithm.limits = {std::chrono::seconds(wire.Limits->CpuSeconds), std::chrono::seconds(wire.Limits->WallSeconds),
                        wire.Limits->MemoryBytes, wire.Limits->Processes, wire.Limits->OutputBytes};
  }
  return algorithm;
}

void toWire(wb__Algorithm &wire, const AlgorithmDescription &algorithm, Arena &arena) {
  wire.Id = Arena::checked(algorithm.id, "Id");
  wire.Version = Arena::checked(algorithm.version, "Version");
  wire.Title = Arena::checked(algorithm.title, "Title");
  wire.Help = Arena::checked(algorithm.help, "Help");
  giveAll(wire.InputDeclaration, algorithm.inputs, arena);
  giveAll(wire.OutputDeclaration, algorithm.outputs, arena);
  giveAll(wire.ParameterDeclaration, algorithm.parameters, arena);
  wire.Limits = arena.make<wb__AlgorithmLimits>();
  wire.Limits->CpuSeconds = static_cast<unsigned int>(algorithm.limits.cpu.count());
  wire.Limits->WallSeconds = static_cast<unsigned int>(algorithm.limits.wall.count());
  wire.Limits->MemoryBytes = algorithm.limits.memory;
  wire.Limits->Processes = algorithm.limits.processes;
  wire.Limits->OutputBytes = algorithm.limits.output;
}

NamedData fromWire(wb__NamedData &wire) {
  auto name = std::move(wire.name);
  return {std::move(name), wire::fromWire(static_cast<wb__Data &>(wire))};
}

void toWire(wb__NamedData &wire, const NamedData &named, Arena &arena) {
  wire.name = Arena::checked(named.name, "name");
  wire::toWire(static_cast<wb__Data &>(wire), named.data, arena);
}

NamedValue fromWire(wb__Parameter &wire) { return {std::move(wire.name), std::move(wire.__item)}; }

void toWire(wb__Parameter &wire, const NamedValue &parameter, Arena &) {
  wire.name = Arena::checked(parameter.name, "name");
  wire.__item = Arena::checked(parameter.value, "Parameter");
}

} // namespace

template <> struct Message<ListAlgorithmsRequest> {
  using Element = _wb__ListAlgorithms;
  static constexpr const char *name = "wb:ListAlgorithms";
  static ListAlgorithmsRequest decode(Element &) { return {}; }
  static void encode(Element &, const ListAlgorithmsRequest &, Arena &) {}
};

template <> struct Message<ListAlgorithmsResponse> {
  using Element = _wb__ListAlgorithmsResponse;
  static constexpr const char *name = "wb:ListAlgorithmsResponse";
  static ListAlgorithmsResponse decode(Element &element) {
    ListAlgorithmsResponse message;
    takeAll(message.algorithms, element.Algorithm);
    return message;
  }
  static void encode(Element &element, const ListAlgorithmsResponse &message, Arena &arena) {
    giveAll(element.Algorithm, message.algorithms, arena);
  }
};

template <> struct Message<DescribeAlgorithmRequest> {
  using Element = _wb__DescribeAlgorithm;
  static constexpr const char *name = "wb:DescribeAlgorithm";
  static DescribeAlgorithmRequest decode(Element &element) { return {std::string(trimmed(element.Algorithm))}; }
  static void encode(Element &element, const DescribeAlgorithmRequest &message, Arena &) {
    element.Algorithm = Arena::checked(message.algorithm, "Algorithm");
  }
};

template <> struct Message<DescribeAlgorithmResponse> {
  using Element = _wb__DescribeAlgorithmResponse;
  static constexpr const char *name = "wb:DescribeAlgorithmResponse";
  static DescribeAlgorithmResponse decode(Element &element) {
    if (element.Algorithm == nullptr) {
      throw Fault(FaultCode::InvalidMessage, "the message has no Algorithm", "wb:Algorithm");
    }
    return {fromWire(*element.Algorithm)};
  }
  static void encode(Element &element, const DescribeAlgorithmResponse &message, Arena &arena) {
    element.Algorithm = arena.make<wb__Algorithm>();
    toWire(*element.Algorithm, message.algorithm, arena);
  }
};

template <> struct Message<InvokeRequest> {
  using Element = _wb__Invoke;
  static constexpr const char *name = "wb:Invoke";
  static InvokeRequest decode(Element &element) {
    InvokeRequest message;
    message.algorithm = trimmed(element.Algorithm);
    takeAll(message.inputs, element.Input);
    takeAll(message.parameters, element.Parameter);
    message.store = text(element.Store);
    message.attach = element.Attach != nullptr ? std::optional(wire::fromWire(*element.Attach)) : std::nullopt;
    message.overwrite = element.Overwrite != nullptr ? std::optional(wire::fromWire(*element.Overwrite)) : std::nullopt;
    takeAll(message.outputs, element.Output);
    message.priority = number(element.Priority);
    return message;
  }
  static void encode(Element &element, const InvokeRequest &message, Arena &arena) {
    element.Algorithm = Arena::checked(message.algorithm, "Algorithm");
    giveAll(element.Input, message.inputs, arena);
    giveAll(element.Parameter, message.parameters, arena);
    element.Store = Arena::text(message.store, "Store");
    element.Attach = message.attach ? arena.make(wire::toWire(*message.attach)) : nullptr;
    element.Overwrite = message.overwrite ? arena.make(wire::toWire(*message.overwrite)) : nullptr;
    giveAll(element.Output, message.outputs, arena);
    element.Priority = arena.makeOptional<int>(message.priority);
  }
};

template <> struct Message<InvokeResponse> {
  using Element = _wb__InvokeResponse;
  static constexpr const char *name = "wb:InvokeResponse";
  static InvokeResponse decode(Element &element) {
    InvokeResponse message;
    message.job = trimmed(element.Job);
    message.exitStatus = element.ExitStatus;
    takeAll(message.outputs, element.Output);
    message.log = text(element.Log).value_or("");
    return message;
  }
  static void encode(Element &element, const InvokeResponse &message, Arena &arena) {
    element.Job = Arena::checked(message.job, "Job");
    element.ExitStatus = message.exitStatus;
    giveAll(element.Output, message.outputs, arena);
    element.Log = message.log.empty() ? nullptr : arena.make(Arena::checked(message.log, "Log"));
  }
};

} // namespace wire

WAYBILL_CODEC(ListAlgorithmsRequest);
WAYBILL_CODEC(ListAlgorithmsResponse);
WAYBILL_CODEC(DescribeAlgorithmRequest);
WAYBILL_CODEC(DescribeAlgorithmResponse);
WAYBILL_CODEC(InvokeRequest);
WAYBILL_CODEC(InvokeResponse);

} // namespace waybill::soap
