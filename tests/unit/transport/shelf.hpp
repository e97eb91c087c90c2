// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/fetch.hpp"
#include "transport/server_lab.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace waybill::transport {

/// Our own server with one thing on it, which can be had in ranges, and which is cut off as often as a test wants.
class Shelf {
public:
  explicit Shelf(std::uint64_t size);

  /// What was asked for: fields of the request.
  struct Asked {
    std::string range;
    std::string ifRange;
    std::string asked; ///< X-Asked
  };

  [[nodiscard]] const std::string &content() const { return content_; }
  [[nodiscard]] FetchRequest request() const;
  [[nodiscard]] std::vector<Asked> requests() const;
  /// Connections on which something was asked.
  [[nodiscard]] std::size_t connections() const;

  // To be called before the first request.
  void cutEach(std::uint64_t after) { cutAfter_ = after; }
  void withoutRanges() { ranges_ = false; }
  void withoutVersion() { version_ = false; }
  /// From that request on (counted from 0) the content is another.
  void changeAt(std::size_t request) { changeAt_ = request; }
  /// No more than that many at once; the others are told to come again.
  void busyOver(int requests) { busyOver_ = requests; }

private:
  void handle(Request &request, Response &response);
  void answer(const Asked &asked, std::size_t number, Response &response);

  std::string content_;
  std::optional<std::uint64_t> cutAfter_;
  bool ranges_ = true;
  bool version_ = true;
  std::size_t changeAt_ = SIZE_MAX;
  int busyOver_ = 1000;
  mutable std::mutex mutex_;
  std::vector<Asked> requests_;
  int now_ = 0;
  std::set<std::string> remotes_;
  ServerLab lab_;
};

} // namespace waybill::transport
