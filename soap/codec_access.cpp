// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/codec_wire.hpp"

namespace waybill::soap {

namespace wire {

namespace {

TrustedKey fromWire(wb__KeyInfo &wire) {
  return {std::string(trimmed(wire.Instance)),
          std::move(wire.Certificate),
          text(wire.Alias),
          trimmedText(wire.Url),
          wire.Revoked,
          time(wire.Added, "Added")};
}

wb__KeyInfo *toWire(const TrustedKey &key, Arena &arena) {
  auto *wire = arena.make<wb__KeyInfo>();
  wire->Instance = Arena::checked(key.instance, "Instance");
  wire->Certificate = Arena::checked(key.certificatePem, "Certificate");
  wire->Alias = Arena::text(key.alias, "Alias");
  wire->Url = Arena::text(key.url, "Url");
  wire->Revoked = key.revoked;
  wire->Added = formatUtc(key.added);
  return wire;
}

Grant fromWire(wb__GrantInfo &wire) {
  const auto principal = parsePrincipal(trimmed(wire.Principal));
  if (!principal) {
    throw Fault(FaultCode::InvalidMessage,
                "Principal is not an instance id (64 lower-case hex digits), nor one with \"/\" and a user",
                printable(wire.Principal));
  }
  return {std::string(trimmed(wire.Id)), *principal,
          parseRights(wire.Rights),      std::move(wire.Prefix),
          time(wire.Expires, "Expires"), time(wire.Created, "Created")};
}

wb__GrantInfo *toWire(const Grant &grant, Arena &arena) {
  auto *wire = arena.make<wb__GrantInfo>();
  wire->Id = Arena::checked(grant.id, "Id");
  wire->Principal = Arena::checked(format(grant.principal), "Principal");
  wire->Rights = format(grant.rights);
  wire->Prefix = Arena::checked(grant.prefix, "Prefix");
  wire->Expires = arena.time(grant.expires);
  wire->Created = formatUtc(grant.created);
  return wire;
}

/// The one key or grant of a reply. Validation finds it missing in what strangers send; this is for replies, which are
/// not validated.
template <class Wire> Wire &required(Wire *wire, const char *name) {
  if (wire == nullptr) {
    throw Fault(FaultCode::InvalidMessage, std::string(name) + " is missing in the message", name);
  }
  return *wire;
}

/// A message without fields.
template <class T, class Wire> struct Empty {
  using Element = Wire;
  static T decode(Element &) { return {}; }
  static void encode(Element &, const T &, Arena &) {}
};

template <class T, class Wire> struct KeyAlone {
  using Element = Wire;
  static T decode(Element &element) { return {fromWire(required(element.Key, "Key"))}; }
  static void encode(Element &element, const T &message, Arena &arena) { element.Key = toWire(message.key, arena); }
};

template <class T, class Wire> struct GrantAlone {
  using Element = Wire;
  static T decode(Element &element) { return {fromWire(required(element.Grant, "Grant"))}; }
  static void encode(Element &element, const T &message, Arena &arena) { element.Grant = toWire(message.grant, arena); }
};

} // namespace

template <> struct Message<GetInstanceRequest> : Empty<GetInstanceRequest, _wb__GetInstance> {
  static constexpr const char *name = "wb:GetInstance";
};

template <> struct Message<GetInstanceResponse> {
  using Element = _wb__GetInstanceResponse;
  static constexpr const char *name = "wb:GetInstanceResponse";
  static GetInstanceResponse decode(Element &element) {
    GetInstanceResponse message{std::move(element.Name),
                                std::string(trimmed(element.Id)),
                                std::move(element.Certificate),
                                std::move(element.Version),
                                {}};
    for (auto *endpoint : element.Endpoint) {
      message.endpoints.push_back({std::move(endpoint->Name), std::string(trimmed(endpoint->Url))});
    }
    return message;
  }
  static void encode(Element &element, const GetInstanceResponse &message, Arena &arena) {
    element.Name = Arena::checked(message.name, "Name");
    element.Id = Arena::checked(message.id, "Id");
    element.Certificate = Arena::checked(message.certificatePem, "Certificate");
    element.Version = Arena::checked(message.version, "Version");
    for (const auto &endpoint : message.endpoints) {
      auto *made = arena.make<wb__EndpointInfo>();
      made->Name = Arena::checked(endpoint.name, "Endpoint/Name");
      made->Url = Arena::checked(endpoint.url, "Endpoint/Url");
      element.Endpoint.push_back(made);
    }
  }
};

template <> struct Message<TrustKeyRequest> {
  using Element = _wb__TrustKey;
  static constexpr const char *name = "wb:TrustKey";
  static TrustKeyRequest decode(Element &element) {
    return {std::move(element.Certificate), text(element.Alias), trimmedText(element.Url)};
  }
  static void encode(Element &element, const TrustKeyRequest &message, Arena &) {
    element.Certificate = Arena::checked(message.certificatePem, "Certificate");
    element.Alias = Arena::text(message.alias, "Alias");
    element.Url = Arena::text(message.url, "Url");
  }
};

template <> struct Message<TrustKeyResponse> : KeyAlone<TrustKeyResponse, _wb__TrustKeyResponse> {
  static constexpr const char *name = "wb:TrustKeyResponse";
};

template <> struct Message<ListKeysRequest> : Empty<ListKeysRequest, _wb__ListKeys> {
  static constexpr const char *name = "wb:ListKeys";
};

template <> struct Message<ListKeysResponse> {
  using Element = _wb__ListKeysResponse;
  static constexpr const char *name = "wb:ListKeysResponse";
  static ListKeysResponse decode(Element &element) {
    ListKeysResponse message;
    for (auto *key : element.Key) {
      message.keys.push_back(fromWire(*key));
    }
    return message;
  }
  static void encode(Element &element, const ListKeysResponse &message, Arena &arena) {
    for (const auto &key : message.keys) {
      element.Key.push_back(toWire(key, arena));
    }
  }
};

template <> struct Message<RevokeKeyRequest> {
  using Element = _wb__RevokeKey;
  static constexpr const char *name = "wb:RevokeKey";
  static RevokeKeyRequest decode(Element &element) { return {std::string(trimmed(element.Key))}; }
  static void encode(Element &element, const RevokeKeyRequest &message, Arena &) {
    element.Key = Arena::checked(message.key, "Key");
  }
};

template <> struct Message<RevokeKeyResponse> : KeyAlone<RevokeKeyResponse, _wb__RevokeKeyResponse> {
  static constexpr const char *name = "wb:RevokeKeyResponse";
};

template <> struct Message<GrantRequest> {
  using Element = _wb__Grant;
  static constexpr const char *name = "wb:Grant";
  static GrantRequest decode(Element &element) {
    GrantRequest message;
    message.principal = trimmed(element.Principal);
    message.rights = parseRights(element.Rights);
    message.prefix = text(element.Prefix).value_or(message.prefix);
    message.expires = time(element.Expires, "Expires");
    return message;
  }
  static void encode(Element &element, const GrantRequest &message, Arena &arena) {
    element.Principal = Arena::checked(message.principal, "Principal");
    element.Rights = format(message.rights);
    element.Prefix = arena.make(Arena::checked(message.prefix, "Prefix"));
    element.Expires = arena.time(message.expires);
  }
};

template <> struct Message<GrantResponse> : GrantAlone<GrantResponse, _wb__GrantResponse> {
  static constexpr const char *name = "wb:GrantResponse";
};

template <> struct Message<RevokeRequest> {
  using Element = _wb__Revoke;
  static constexpr const char *name = "wb:Revoke";
  static RevokeRequest decode(Element &element) { return {std::string(trimmed(element.Grant))}; }
  static void encode(Element &element, const RevokeRequest &message, Arena &) {
    element.Grant = Arena::checked(message.grant, "Grant");
  }
};

template <> struct Message<RevokeResponse> : GrantAlone<RevokeResponse, _wb__RevokeResponse> {
  static constexpr const char *name = "wb:RevokeResponse";
};

template <> struct Message<ListGrantsRequest> {
  using Element = _wb__ListGrants;
  static constexpr const char *name = "wb:ListGrants";
  static ListGrantsRequest decode(Element &element) { return {trimmedText(element.Principal)}; }
  static void encode(Element &element, const ListGrantsRequest &message, Arena &) {
    element.Principal = Arena::text(message.principal, "Principal");
  }
};

template <> struct Message<ListGrantsResponse> {
  using Element = _wb__ListGrantsResponse;
  static constexpr const char *name = "wb:ListGrantsResponse";
  static ListGrantsResponse decode(Element &element) {
    ListGrantsResponse message;
    for (auto *grant : element.Grant) {
      message.grants.push_back(fromWire(*grant));
    }
    return message;
  }
  static void encode(Element &element, const ListGrantsResponse &message, Arena &arena) {
    for (const auto &grant : message.grants) {
      element.Grant.push_back(toWire(grant, arena));
    }
  }
};

} // namespace wire

WAYBILL_CODEC(GetInstanceRequest);
WAYBILL_CODEC(GetInstanceResponse);
WAYBILL_CODEC(TrustKeyRequest);
WAYBILL_CODEC(TrustKeyResponse);
WAYBILL_CODEC(ListKeysRequest);
WAYBILL_CODEC(ListKeysResponse);
WAYBILL_CODEC(RevokeKeyRequest);
WAYBILL_CODEC(RevokeKeyResponse);
WAYBILL_CODEC(GrantRequest);
WAYBILL_CODEC(GrantResponse);
WAYBILL_CODEC(RevokeRequest);
WAYBILL_CODEC(RevokeResponse);
WAYBILL_CODEC(ListGrantsRequest);
WAYBILL_CODEC(ListGrantsResponse);

} // namespace waybill::soap
