// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/endpoint_reference.hpp"
#include "domain/fault.hpp"
#include "domain/messages.hpp"
#include "domain/random.hpp"
#include "soap/addressing.hpp"
#include "soap/incoming_message.hpp"
#include "soap/version.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::services {

/// What a Copy hands out: which objects, each under which name, and how.
struct CopyOrder {
  struct Item {
    std::string id;   ///< of the object
    std::string name; ///< the Path that the reply gives it
    friend bool operator==(const Item &, const Item &) = default;
  };
  std::vector<Item> items;
  Attach attach = Attach::Mtom;
  std::uint64_t bytes = 0; ///< of content, when it was ordered
  std::int32_t priority = normalPriority;
  friend bool operator==(const CopyOrder &, const CopyOrder &) = default;
};

/// An Invoke that has been taken and is to be run: what was attached is in the job's folder.
struct InvokeOrder {
  std::string algorithm;
  std::string request;                          ///< body XML of the Invoke, its inputs without references to parts
  std::map<std::size_t, std::string> attached;  ///< content types of those inputs, by position, that are there already
  bool complete = false;                        ///< all of them are
  std::optional<std::vector<std::string>> data; ///< resources that the token narrows the caller's data to; none: all
  Attach attach = Attach::Mtom;
  std::int32_t priority = normalPriority;
  friend bool operator==(const InvokeOrder &, const InvokeOrder &) = default;
};

/// An output whose bytes travel with the response of its job.
struct OutputPart {
  std::string contentId;
  std::string contentType;
  std::uint64_t size = 0;
  std::string sha256;
  std::string path; ///< that the response gives it; may be empty
  std::string file; ///< its name in the job's folder
  friend bool operator==(const OutputPart &, const OutputPart &) = default;
};

/// All that is needed to make and deliver one message, over and over until it has arrived: kept in the catalog as text
/// (storage::TransferRow::work).
struct TransferWork {
  soap::Version version = soap::Version::Soap12;
  EndpointReference to;
  std::string action;                   ///< of the message
  std::string messageId;                ///< of the message: the same for every attempt, so that it is taken once
  std::optional<std::string> relatesTo; ///< MessageID of the call that it answers
  std::string transfer;                 ///< MessageID of the call that began the chain
  std::string envelope;                 ///< the message, ready; empty when `content` is what is sent
  std::optional<CopyOrder> content;     ///< a CopyResponse, written anew for each attempt
  std::optional<InvokeOrder> run;       ///< what answers it has to be run first
  std::string job;                      ///< the folder of the job that it is about; empty: none
  std::vector<OutputPart> parts;        ///< outputs there that `envelope` refers to
  soap::Packaging packaging = soap::Packaging::Plain; ///< of these; Plain: their bytes are in `envelope`
  std::string baseUrl;                                ///< of this instance, for ids and leases
  std::string lease;                        ///< secret of the URL that the receiver may pull from; empty: none
  std::optional<EndpointReference> faultTo; ///< where to tell that it could not be delivered
  friend bool operator==(const TransferWork &, const TransferWork &) = default;
};

/// The addressing headers of the message that `work` is about.
[[nodiscard]] soap::Addressing addressingOf(const TransferWork &work);
/// The header blocks that its endpoint wants.
[[nodiscard]] std::vector<std::string> headersOf(const EndpointReference &endpoint);
/// The whole message around `bodyXml`.
[[nodiscard]] std::string envelopeOf(const TransferWork &work, std::string_view bodyXml);

/// A message that tells of `fault`, on its way to `endpoint`.
[[nodiscard]] TransferWork faultWork(const Fault &fault, const EndpointReference &endpoint, soap::Version version,
                                     const std::optional<std::string> &relatesTo, const std::string &transfer,
                                     Random &random);

/// As JSON text.
[[nodiscard]] std::string print(const TransferWork &work);
/// Throws Fault Internal for what print() did not write.
[[nodiscard]] TransferWork parseTransferWork(std::string_view text);

} // namespace waybill::services
