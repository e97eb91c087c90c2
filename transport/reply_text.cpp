// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/reply_text.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <ostream>

#include <boost/beast/http/status.hpp>

namespace waybill::transport {

namespace {

/// IMF-fixdate (RFC 9110 section 5.6.7), in no locale.
std::string httpDate() {
  static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                days.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                months.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                utc.tm_sec);
  return text.data();
}

void checkField(const std::string &name, const std::string &value) {
  using namespace std::string_view_literals;
  if (name.empty() || name.find_first_of("\r\n\0: "sv) != std::string::npos ||
      value.find_first_of("\r\n\0"sv) != std::string::npos) {
    throw Fault(FaultCode::Internal, "a reply was about to carry a malformed header field", printable(name));
  }
  if (equalIgnoringCase(name, "Content-Length") || equalIgnoringCase(name, "Transfer-Encoding")) {
    throw Fault(FaultCode::Internal, "a reply's framing is not the handler's to choose; give begin() the length", name);
  }
}

void addField(std::string &text, std::string_view name, std::string_view value) {
  text.append(name).append(": ").append(value).append("\r\n");
}

} // namespace

std::string replyHead(int status, const Headers &headers, bool keepAlive) {
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  auto text = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason.data(), reason.size()) + "\r\n";
  for (const auto &[name, value] : headers.all()) {
    checkField(name, value);
    if (!equalIgnoringCase(name, "Connection") && !equalIgnoringCase(name, "Date")) {
      addField(text, name, value);
    }
  }
  addField(text, "Date", httpDate());
  addField(text, "Connection", keepAlive ? "keep-alive" : "close");
  return text;
}

std::string refusalText(int status, std::string_view text, const Headers &more) {
  auto headers = more;
  headers.add("Content-Type", "text/plain; charset=utf-8");
  auto reply = replyHead(status, headers, false);
  addField(reply, "Content-Length", std::to_string(text.size() + 1));
  return reply.append("\r\n").append(text).append("\n");
}

} // namespace waybill::transport
