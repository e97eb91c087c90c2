// SPDX-License-Identifier: GPL-3.0-or-later
// DataManager::receive: how data comes in.
#include "services/data_manager.hpp"

#include "domain/data_path.hpp"
#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "soap/codec.hpp"
#include "soap/media_type.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace waybill::services {

/// One Data of a Receive whose bytes are in staging.
struct DataManager::Arrival {
  const Data &data;
  std::unique_ptr<storage::StagedContent> staged;
  storage::ObjectRow row;
};

namespace {

/// A media type in printable ASCII: it goes into header fields and into XML.
bool isMediaType(const std::string &type) {
  const auto printableAscii = std::all_of(type.begin(), type.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  return printableAscii && type.size() <= 255 && soap::MediaType::parse(type);
}

void checkContentType(const std::string &type, const std::string &path) {
  if (!isMediaType(type)) {
    throw Fault(FaultCode::BadParameter,
                "Receive needs a media type such as text/plain as ContentType, not '" + printable(type, 60) + "'",
                path);
  }
}

/// Compares what was declared, by the sender or by the place that the bytes came from, with what came.
template <class Declared>
void checkDeclared(const Declared &data, storage::StagedContent &staged, const storage::ObjectRow &row) {
  if (data.size && *data.size != staged.size()) {
    throw Fault(FaultCode::DigestMismatch,
                "Receive was told a Size of " + std::to_string(*data.size) + " bytes and got " +
                    std::to_string(staged.size()) + "; nothing was stored; send it again",
                row.path);
  }
  if (!data.digest) {
    return;
  }
  const auto &found = data.digest->algorithm == DigestAlgorithm::Sha256 ? row.sha256 : row.adler32;
  if (lowerCase(data.digest->hex) != found) {
    throw Fault(FaultCode::DigestMismatch,
                "Receive was told a " + std::string(name(data.digest->algorithm)) + " digest of " +
                    printable(data.digest->hex, 80) + ", and what came has " + found +
                    "; nothing was stored; send it again",
                row.path);
  }
}

/// A sink that stops at a limit, so that an object that is too large is not written to its end first.
class LimitedSink final : public Sink {
public:
  LimitedSink(storage::StagedContent &staged, const Data &data, std::uint64_t limit, const DiskRoom &room)
      : staged_(staged), data_(data), limit_(limit), watch_(room, printable(data.path.value_or(""), 300)) {}

  void write(ByteView bytes) override {
    check(bytes.size());
    staged_.write(bytes);
  }
  void writeAt(std::uint64_t offset, ByteView bytes) {
    check(bytes.size());
    staged_.writeAt(offset, bytes);
  }

private:
  void check(std::uint64_t more) {
    const auto total = staged_.size() + more;
    if (limit_ != 0 && total > limit_) {
      throw Fault(FaultCode::TooLarge,
                  "Receive takes objects of at most " + std::to_string(limit_) +
                      " bytes (limits.object_bytes); this one has more",
                  printable(data_.path.value_or(""), 300));
    }
    if (data_.size && total > *data_.size) {
      throw Fault(FaultCode::DigestMismatch,
                  "Receive was told a Size of " + std::to_string(*data_.size) +
                      " bytes and got more; nothing was stored; send it again",
                  printable(data_.path.value_or(""), 300));
    }
    watch_.before(more);
  }

  storage::StagedContent &staged_;
  const Data &data_;
  std::uint64_t limit_;
  RoomWatch watch_;
};

void checkMetadata(const std::vector<Metadata> &metadata, const std::string &path) {
  // As wsdl/data.xsd says.
  static constexpr std::size_t mostEntries = 100;
  static constexpr std::size_t mostBytes = 16UL * 1024;
  std::size_t bytes = 0;
  for (const auto &entry : metadata) {
    bytes += entry.name.size() + entry.value.size();
  }
  if (metadata.size() > mostEntries || bytes > mostBytes) {
    throw Fault(FaultCode::BadParameter,
                "Receive takes at most " + std::to_string(mostEntries) + " Metadata with " + std::to_string(mostBytes) +
                    " bytes of names and values for one Data, and this has " + std::to_string(metadata.size()) +
                    " with " + std::to_string(bytes) + "; keep what is longer as data of its own",
                path);
  }
}

/// What Overwrite IfDifferent asks (wsdl/data.xsd): other bytes, or another of the attributes that the sender gave.
bool differs(const Data &data, const storage::ObjectRow &arrived, const storage::ObjectRow &existing) {
  return arrived.sha256 != existing.sha256 || (data.secure && *data.secure != existing.secure) ||
         (data.expires && data.expires != existing.expires) ||
         (data.contentType && *data.contentType != existing.contentType) ||
         (!data.metadata.empty() && data.metadata != existing.metadata);
}

void refuseSamePathTwice(const Call &call, const std::vector<Data> &all) {
  std::set<std::string> seen;
  for (const auto &data : all) {
    if (data.path && !seen.insert(DataPath::parse(*data.path).text()).second) {
      throw Fault(FaultCode::BadParameter,
                  call.operation + " was given one Path twice in one message; give each Data its own",
                  printable(*data.path, 300));
    }
  }
}

[[noreturn]] void pathIsTaken(const Call &call, const std::string &path) {
  throw Fault(FaultCode::AlreadyExists,
              call.operation +
                  " found data under this Path already, and Overwrite is Never; choose another Path, or Overwrite "
                  "Always or IfDifferent (waybill: --overwrite always or if-different)",
              path);
}

} // namespace

void refuseExpired(const std::string &operation, const Data &data, Time now, const std::string &subject) {
  if (data.expires && *data.expires <= now) {
    throw Fault(FaultCode::BadParameter,
                operation + " was told an Expires of " + formatUtc(*data.expires) + ", which has passed: it is " +
                    formatUtc(now) + " here; nothing was stored; give a later time, or leave it out",
                subject);
  }
}

void DataManager::checkOne(Call &call, const Permission &mayWrite, const Data &data, Overwrite overwrite) const {
  const auto path = data.path ? DataPath::parse(*data.path).text() : std::string();
  const auto under = data.path ? path : "/data"; // without a Path it is kept under the path that its URL has
  mayWrite.require("", under);
  call.subjects.push_back(under);
  if (data.contentType) {
    checkContentType(*data.contentType, path);
  }
  checkMetadata(data.metadata, path);
  refuseExpired(call.operation, data, clock_.now(), path);
  if (data.size && limits_.objectBytes != 0 && *data.size > limits_.objectBytes) {
    throw Fault(FaultCode::TooLarge,
                "Receive takes objects of at most " + std::to_string(limits_.objectBytes) +
                    " bytes (limits.object_bytes)",
                path);
  }
  if (data.path && overwrite == Overwrite::Never) {
    if (const auto existing = catalog_.objectAt(path); existing && locator_.isAlive(*existing)) {
      pathIsTaken(call, path);
    }
  }
}

void DataManager::checkIntake(Call &call, const std::vector<Data> &all, Overwrite overwrite) const {
  refuseSamePathTwice(call, all);
  const Permission mayWrite(trust_, call, Right::Write);
  std::uint64_t declared = 0;
  for (const auto &data : all) {
    checkOne(call, mayWrite, data, overwrite);
    declared += std::min(data.size.value_or(0), std::numeric_limits<std::uint64_t>::max() - declared);
  }
  room_.require(declared, call.subjects.back());
}

DataManager::Arrival DataManager::arrive(Call &call, const Data &data, ResolvedData resolved) const {
  Arrival arrival{data, store_.stage(), {}};
  LimitedSink sink(*arrival.staged, data, limits_.objectBytes, room_);
  if (resolved.scattered) {
    resolved.scattered([&](std::uint64_t offset, ByteView bytes) { sink.writeAt(offset, bytes); });
  } else {
    copyAll(*resolved.source, sink);
  }
  call.bytesIn += arrival.staged->size();

  auto &row = arrival.row;
  row.id = arrival.staged->id();
  row.path = data.path ? DataPath::parse(*data.path).text() : "/data/" + row.id;
  row.owner = format(call.principal);
  row.size = arrival.staged->size();
  row.sha256 = arrival.staged->sha256Hex();
  row.adler32 = arrival.staged->adler32Hex();
  row.contentType =
      data.contentType.value_or(isMediaType(resolved.contentType) ? resolved.contentType : "application/octet-stream");
  row.secure = data.secure.value_or(true);
  row.created = clock_.now();
  row.expires = data.expires;
  row.metadata = data.metadata;
  checkDeclared(data, *arrival.staged, row);
  checkDeclared(resolved, *arrival.staged, row);
  return arrival;
}

void DataManager::enter(const Call &call, storage::Transaction &transaction, Arrival &arrival, Overwrite overwrite,
                        std::vector<std::string> &discarded) const {
  refuseExpired(call.operation, arrival.data, clock_.now(), arrival.row.path); // the upload may have taken long
  const auto existing = transaction.objectAt(arrival.row.path);
  if (existing && locator_.isAlive(*existing)) {
    if (overwrite == Overwrite::Never) {
      pathIsTaken(call, arrival.row.path);
    }
    if (overwrite == Overwrite::IfDifferent && !differs(arrival.data, arrival.row, *existing)) {
      discarded.push_back(arrival.row.id);
      arrival.row = *existing;
      return;
    }
  }
  if (existing) {
    transaction.removeObject(existing->id);
    discarded.push_back(existing->id);
  }
  transaction.insert(arrival.row);
}

std::vector<Data> DataManager::take(Call &call, const Intake &intake) {
  std::vector<Arrival> arrivals;
  for (std::size_t i = 0; i < intake.data.size(); ++i) {
    arrivals.push_back(arrive(call, intake.data[i], intake.open(i)));
  }
  intake.complete();

  std::vector<storage::StagedContent *> staged;
  std::transform(arrivals.begin(), arrivals.end(), std::back_inserter(staged),
                 [](const auto &arrival) { return arrival.staged.get(); });
  store_.publish(staged);

  std::vector<Data> stored;
  ReplyBound bound(call.operation, limits_.replyBytes);
  std::vector<std::string> discarded;
  try {
    call.commit(catalog_, [&](storage::Transaction &transaction) {
      for (auto &arrival : arrivals) {
        enter(call, transaction, arrival, intake.overwrite, discarded);
        bound.add(arrival.row);
        stored.push_back(services::describe(arrival.row, call.baseUrl));
      }
      return std::optional(intake.receipt(stored));
    });
  } catch (const Fault &fault) {
    // After an I/O error nobody knows whether the rows are there: what no row names goes at the next start.
    if (fault.code() != FaultCode::Internal) {
      for (const auto *content : staged) {
        store_.remove(content->id());
      }
    }
    throw;
  }
  for (const auto &id : discarded) {
    store_.remove(id);
  }
  return stored;
}

ReceiveResponse DataManager::receive(Call &call, const ReceiveRequest &request) {
  if (!request.data.empty()) { // as a program may have made nothing
    checkIntake(call, request.data, request.overwrite);
  }
  Intake intake{request.data, request.overwrite, {}, {}, {}};
  intake.open = [&](std::size_t i) { return resolver_.resolve(request.data[i], call); };
  intake.complete = [&] { call.attachments->finish(); };
  intake.receipt = [](const std::vector<Data> &stored) { return soap::encode(ReceiveResponse{stored}); };
  return {take(call, intake)};
}

} // namespace waybill::services
