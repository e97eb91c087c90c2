// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"
#include "transport/client.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace waybill::transport {

struct FetchOptions {
  /// Deadlines of one connection, what is called while waiting, and the egress guard. Without a guard only https is
  /// spoken, to any address.
  ClientOptions client;
  int redirects = 5;
  /// What is tried again is tried with pauses that double from here to there (or as long as Retry-After asks, up to the
  /// longest).
  std::chrono::milliseconds firstPause{250};
  std::chrono::milliseconds longestPause{10'000};
  /// Until a reply has begun it is tried so often, and for no longer than this, tries and pauses together: there may be
  /// another way to the data.
  int attempts = 8;
  std::chrono::milliseconds openPatience{45'000};
  /// From then on it is tried, however often, for so long since the last byte came. Who gives a byte with each
  /// connection is left after as long without a new mebibyte, and that many failures.
  std::chrono::milliseconds patience{120'000};
};

struct FetchRequest {
  std::string url;
  Headers headers;   ///< sent to this URL's scheme, host and port alone, not to where it redirects
  PeerIdentity peer; ///< of this URL's host; what the guard knows of a trusted instance comes before it
};

/// A URL that is open for reading.
struct Fetched {
  std::string url; ///< after redirects
  std::optional<std::string> contentType;
  std::optional<std::uint64_t> size;
  /// Reads on over cuts where the server can (see Fetcher). Must not outlive the fetcher. Dropping it ends the
  /// transfer.
  std::unique_ptr<Source> body;
};

/// Some bytes of a whole: from `begin` up to, not including, `end`.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Where the bytes of ranges go: offset in the whole, and bytes (valid during the call). Called in the thread that
/// called fetchRanges. What it throws ends the fetch and is thrown on.
using RangeSink = std::function<void(std::uint64_t offset, ByteView bytes)>;

struct RangesOptions {
  unsigned connections = 4;
  /// How many of them it may have just now; asked whenever there is a stripe to be taken, in the thread that called
  /// fetchRanges. It has one at least, and what has begun goes on. Without it: all of them.
  std::function<unsigned()> share;
  /// What one connection asks for at a time. Stripes are taken in the order of their offsets, so that at any time no
  /// more than `connections` of them are unfinished; all before the first of these has been written.
  std::uint64_t stripe = std::uint64_t{16} * 1024 * 1024;
};

/// Reads plain URLs: https, and http, ftp and file where the guard allows them. Memory does not grow with the size. One
/// fetch at a time; one fetcher a thread.
///
/// Faults: AddressNotAllowed from the guard, also for where a redirect leads (a redirect from https to anything else,
/// or to ftp or file, is refused too); DeliveryFault for all else, naming the URL as printableUrl shows it, the status,
/// and what to do.
///
/// After a cut the rest is asked for with Range (RFC 9110 section 14), and If-Range when the server gave a strong ETag
/// or a Last-Modified (ftp: REST, when size and time are the same). A server that cannot, a 206 that begins elsewhere
/// or is of another length, another ETag: a fault; bytes of two versions are never mixed.
class Fetcher {
public:
  explicit Fetcher(FetchOptions options = {});
  ~Fetcher();
  Fetcher(const Fetcher &) = delete;
  Fetcher &operator=(const Fetcher &) = delete;

  /// Returns when the reply's head is there and good. Waits and tries again as the options say.
  [[nodiscard]] Fetched open(const FetchRequest &request);

  /// Writes the bytes of `wanted` (in order, not overlapping, none empty, within `size`) to `sink`, by several
  /// connections at once, driven in this thread. Each stripe is tried again by itself from where it stopped. A server
  /// that does no ranges, or a scheme that has none, costs one plain GET, of which what is wanted is written, in order.
  /// Throws as described above; DeliveryFault also when the whole is not of `size` bytes.
  void fetchRanges(const FetchRequest &request, std::uint64_t size, const std::vector<ByteRange> &wanted,
                   const RangeSink &sink, RangesOptions ranges = {});

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace waybill::transport
