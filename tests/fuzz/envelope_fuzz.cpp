// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as an envelope: refused with a Fault, or read, and then all that the exchange does with it holds too.
#include "domain/fault.hpp"
#include "soap/codec.hpp"
#include "soap/envelope.hpp"
#include "soap/fault.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <iostream>
#include <optional>

namespace {

using namespace waybill;

/// What was let through before may be refused for one of these reasons, and for no other.
template <class Work> void mustHold(std::initializer_list<FaultCode> reasons, Work work) {
  try {
    work();
  } catch (const Fault &fault) {
    if (std::find(reasons.begin(), reasons.end(), fault.code()) == reasons.end()) {
      std::cerr << fault.what() << '\n';
      std::abort();
    }
  }
}

/// A valid body can have values that mean nothing; what was read of it can be written.
template <class Request> void decodeAndEncode(const std::string &bodyXml) {
  std::optional<Request> request;
  mustHold({FaultCode::TooLarge, FaultCode::BadParameter}, [&] { request = soap::decode<Request>(bodyXml); });
  if (request) {
    mustHold({FaultCode::TooLarge}, [&] { (void)soap::encode(*request); });
  }
}

void decodeBody(const soap::Envelope &envelope) {
  const auto element = envelope.bodyElement();
  const auto body = envelope.bodyXml();
  if (element.local == "Copy") {
    decodeAndEncode<CopyRequest>(body);
  } else if (element.local == "Receive") {
    decodeAndEncode<ReceiveRequest>(body);
  } else if (element.local == "CopyResponse") {
    decodeAndEncode<CopyResponse>(body);
  } else if (element.local == "ListTransfers") {
    decodeAndEncode<ListTransfersRequest>(body);
  } else if (element.local == "List") {
    decodeAndEncode<ListRequest>(body);
  } else if (element.local == "Grant") {
    decodeAndEncode<GrantRequest>(body);
  } else if (element.local == "TrustKey") {
    decodeAndEncode<TrustKeyRequest>(body);
  }
}

/// What was read as reference parameters must be read again from what is written.
void writeAndReadAgain(const EndpointReference &endpoint, const soap::Limits &limits) {
  auto wider = limits;
  wider.attributes += 100;
  wider.headers += 100;
  wider.envelopeBytes *= 16;
  (void)soap::Envelope::parse(soap::writeEnvelopeTo(soap::Version::Soap12, endpoint, {}, {}, "<a/>"), wider);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  static const soap::Schema schema;
  soap::Limits limits;
  limits.envelopeBytes = 1U << 20U;
  try {
    auto envelope = soap::Envelope::parse({reinterpret_cast<const char *>(data), size}, limits);
    if (envelope.isFault()) {
      (void)soap::decodeFault(envelope);
    }
    const auto addressing = envelope.addressing();
    mustHold({FaultCode::TooLarge}, [&] { writeAndReadAgain(addressing.replyEndpoint(), limits); });
    if (const auto onward = envelope.onward()) {
      mustHold({FaultCode::TooLarge}, [&] { writeAndReadAgain(onward->to, limits); });
    }
    (void)envelope.overwrite();
    (void)envelope.headerText({soap::waybillNamespace, "Token"});
    envelope.requireUnderstood();
    (void)envelope.liftContent([](const std::string &, const std::string &) {});
    envelope.validate(schema);
    decodeBody(envelope);
  } catch (const Fault &fault) {
    (void)soap::encodeFault(fault, soap::Version::Soap11, {});
    (void)soap::encodeFault(fault, soap::Version::Soap12, {});
  }
  return 0;
}
