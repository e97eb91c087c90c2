// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/codec_wire.hpp"

namespace waybill::soap {

namespace wire {

namespace {

constexpr std::size_t shortestMediaType = 3; // xmime:contentType, minLength

DigestAlgorithm fromWire(wb__DigestAlgorithm algorithm) {
  return algorithm == wb__DigestAlgorithm::adler32 ? DigestAlgorithm::Adler32 : DigestAlgorithm::Sha256;
}

wb__DigestAlgorithm toWire(DigestAlgorithm algorithm) {
  return algorithm == DigestAlgorithm::Adler32 ? wb__DigestAlgorithm::adler32 : wb__DigestAlgorithm::sha_256;
}

/// Digits in upper case are taken, and without an algorithm it is SHA-256, as the schema says.
Digest fromWire(const wb__Digest &digest) {
  return {digest.algorithm != nullptr ? fromWire(*digest.algorithm) : DigestAlgorithm::Sha256,
          lowerCase(trimmed(digest.__item))};
}

wb__Digest *toWire(const std::optional<Digest> &digest, Arena &arena) {
  if (!digest) {
    return nullptr;
  }
  auto *wire = arena.make<wb__Digest>();
  wire->__item = Arena::checked(digest->hex, "Digest");
  wire->algorithm = arena.make(toWire(digest->algorithm));
  return wire;
}

void metadataToWire(wb__Data &wire, const std::vector<Metadata> &metadata, Arena &arena) {
  for (const auto &entry : metadata) {
    auto *made = arena.make<wb__Metadata>();
    made->Name = Arena::checked(entry.name, "Metadata/Name");
    made->Value = Arena::checked(entry.value, "Metadata/Value");
    wire.Metadata.push_back(made);
  }
}

} // namespace

Attach fromWire(wb__Attach attach) {
  switch (attach) {
  case wb__Attach::MTOM: return Attach::Mtom;
  case wb__Attach::SwA: return Attach::SwA;
  case wb__Attach::Inline: return Attach::Inline;
  case wb__Attach::Reference: return Attach::Reference;
  }
  throw Fault(FaultCode::InvalidMessage, "Attach is none of MTOM, SwA, Inline, Reference", "wb:Attach");
}

wb__Attach toWire(Attach attach) {
  switch (attach) {
  case Attach::Mtom: return wb__Attach::MTOM;
  case Attach::SwA: return wb__Attach::SwA;
  case Attach::Inline: return wb__Attach::Inline;
  case Attach::Reference: return wb__Attach::Reference;
  }
  throw Fault(FaultCode::Internal, "Attach has a value without a name");
}

Overwrite fromWire(wb__Overwrite overwrite) {
  switch (overwrite) {
  case wb__Overwrite::Never: return Overwrite::Never;
  case wb__Overwrite::Always: return Overwrite::Always;
  case wb__Overwrite::IfDifferent: return Overwrite::IfDifferent;
  }
  throw Fault(FaultCode::InvalidMessage, "Overwrite is none of Never, Always, IfDifferent", "wb:Overwrite");
}

wb__Overwrite toWire(Overwrite overwrite) {
  switch (overwrite) {
  case Overwrite::Never: return wb__Overwrite::Never;
  case Overwrite::Always: return wb__Overwrite::Always;
  case Overwrite::IfDifferent: return wb__Overwrite::IfDifferent;
  }
  throw Fault(FaultCode::Internal, "Overwrite has a value without a name");
}

Data fromWire(wb__Data &wire) {
  Data data;
  data.id = trimmedText(wire.Id);
  data.path = text(wire.Path);
  data.contentType = trimmedText(wire.ContentType);
  data.size = wire.Size != nullptr ? std::optional<std::uint64_t>(*wire.Size) : std::nullopt;
  data.digest = wire.Digest != nullptr ? std::optional(fromWire(*wire.Digest)) : std::nullopt;
  data.secure = wire.Secure != nullptr ? std::optional(*wire.Secure) : std::nullopt;
  data.created = time(wire.Created, "Created");
  data.expires = time(wire.Expires, "Expires");
  data.owner = text(wire.Owner);
  for (auto *metadata : wire.Metadata) {
    data.metadata.push_back({std::move(metadata->Name), std::move(metadata->Value)});
  }
  data.href = trimmedText(wire.Href);
  data.attachment = trimmedText(wire.Attachment);
  if (wire.Content != nullptr) {
    data.content = liftedContent(wire.Content->__item);
    if (!data.contentType) { // toolkits fill in the attribute by themselves
      data.contentType = trimmedText(wire.Content->xmime__contentType);
    }
  }
  data.token = trimmedText(wire.Token);
  return data;
}

void toWire(wb__Data &wire, const Data &data, Arena &arena) {
  wire.Id = Arena::text(data.id, "Id");
  wire.Path = Arena::text(data.path, "Path");
  wire.ContentType = Arena::text(data.contentType, "ContentType");
  wire.Size = arena.makeOptional<ULONG64>(data.size);
  wire.Digest = toWire(data.digest, arena);
  wire.Secure = arena.makeOptional<bool>(data.secure);
  wire.Created = arena.time(data.created);
  wire.Expires = arena.time(data.expires);
  wire.Owner = Arena::text(data.owner, "Owner");
  metadataToWire(wire, data.metadata, arena);
  wire.Href = arena.reference(data.href, "Href");
  wire.Attachment = arena.reference(data.attachment, "Attachment");
  if (data.content) {
    wire.Content = arena.make<wb__Content>();
    wire.Content->__item = arena.content(*data.content);
    if (data.contentType && data.contentType->size() >= shortestMediaType) {
      wire.Content->xmime__contentType = wire.ContentType;
    }
  }
  wire.Token = Arena::text(data.token, "Token");
}

std::vector<Data> allFromWire(std::vector<wb__Data *> &wire) {
  std::vector<Data> all;
  all.reserve(wire.size());
  for (auto *data : wire) {
    all.push_back(fromWire(*data));
  }
  return all;
}

void allToWire(std::vector<wb__Data *> &wire, const std::vector<Data> &all, Arena &arena) {
  wire.reserve(all.size());
  for (const auto &data : all) {
    wire.push_back(arena.make<wb__Data>());
    toWire(*wire.back(), data, arena);
  }
}

namespace {

/// A message that is nothing but data.
template <class T, class Wire> struct DataAlone {
  using Element = Wire;
  static T decode(Element &element) { return {allFromWire(element.Data)}; }
  static void encode(Element &element, const T &message, Arena &arena) { allToWire(element.Data, message.data, arena); }
};

} // namespace

template <> struct Message<CopyRequest> {
  using Element = _wb__Copy;
  static constexpr const char *name = "wb:Copy";
  static CopyRequest decode(Element &element) {
    return {allFromWire(element.Data),
            element.Attach != nullptr ? std::optional(fromWire(*element.Attach)) : std::nullopt,
            number(element.Priority)};
  }
  static void encode(Element &element, const CopyRequest &message, Arena &arena) {
    allToWire(element.Data, message.data, arena);
    element.Attach = message.attach ? arena.make(toWire(*message.attach)) : nullptr;
    element.Priority = arena.makeOptional<int>(message.priority);
  }
};

template <> struct Message<CopyResponse> : DataAlone<CopyResponse, _wb__CopyResponse> {
  static constexpr const char *name = "wb:CopyResponse";
};

template <> struct Message<ReceiveRequest> {
  using Element = _wb__Receive;
  static constexpr const char *name = "wb:Receive";
  static ReceiveRequest decode(Element &element) {
    return {allFromWire(element.Data), element.Overwrite != nullptr ? fromWire(*element.Overwrite) : Overwrite::Never};
  }
  static void encode(Element &element, const ReceiveRequest &message, Arena &arena) {
    allToWire(element.Data, message.data, arena);
    element.Overwrite = arena.make(toWire(message.overwrite));
  }
};

template <> struct Message<ReceiveResponse> : DataAlone<ReceiveResponse, _wb__ReceiveResponse> {
  static constexpr const char *name = "wb:ReceiveResponse";
};
template <> struct Message<DeleteRequest> : DataAlone<DeleteRequest, _wb__Delete> {
  static constexpr const char *name = "wb:Delete";
};
template <> struct Message<DeleteResponse> : DataAlone<DeleteResponse, _wb__DeleteResponse> {
  static constexpr const char *name = "wb:DeleteResponse";
};
template <> struct Message<DescribeRequest> : DataAlone<DescribeRequest, _wb__Describe> {
  static constexpr const char *name = "wb:Describe";
};
template <> struct Message<DescribeResponse> : DataAlone<DescribeResponse, _wb__DescribeResponse> {
  static constexpr const char *name = "wb:DescribeResponse";
};

template <> struct Message<ListRequest> {
  using Element = _wb__List;
  static constexpr const char *name = "wb:List";
  static ListRequest decode(Element &element) {
    ListRequest message;
    message.prefix = text(element.Prefix).value_or(message.prefix);
    message.limit = element.Limit != nullptr ? *element.Limit : message.limit;
    message.pageToken = trimmedText(element.PageToken);
    return message;
  }
  static void encode(Element &element, const ListRequest &message, Arena &arena) {
    element.Prefix = arena.make(Arena::checked(message.prefix, "Prefix"));
    element.Limit = arena.make<unsigned int>(message.limit);
    element.PageToken = Arena::text(message.pageToken, "PageToken");
  }
};

template <> struct Message<ListResponse> {
  using Element = _wb__ListResponse;
  static constexpr const char *name = "wb:ListResponse";
  static ListResponse decode(Element &element) {
    return {allFromWire(element.Data), trimmedText(element.NextPageToken)};
  }
  static void encode(Element &element, const ListResponse &message, Arena &arena) {
    allToWire(element.Data, message.data, arena);
    element.NextPageToken = Arena::text(message.nextPageToken, "NextPageToken");
  }
};

} // namespace wire

WAYBILL_CODEC(CopyRequest);
WAYBILL_CODEC(CopyResponse);
WAYBILL_CODEC(ReceiveRequest);
WAYBILL_CODEC(ReceiveResponse);
WAYBILL_CODEC(DeleteRequest);
WAYBILL_CODEC(DeleteResponse);
WAYBILL_CODEC(ListRequest);
WAYBILL_CODEC(ListResponse);
WAYBILL_CODEC(DescribeRequest);
WAYBILL_CODEC(DescribeResponse);

} // namespace waybill::soap
