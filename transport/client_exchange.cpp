// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/client_exchange.hpp"

#include "domain/text.hpp"
#include "transport/curl_support.hpp"
#include "transport/early_reply.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace waybill::transport {

namespace {

/// The smallest piece that is worth a record; less is given only at the end, or a slow pipe would look like a stalled
/// sender.
constexpr std::size_t smallestPiece = 16 * 1024;
constexpr long receiveBuffer = 512 * 1024;
constexpr long sendBuffer = 512 * 1024;
/// Received and not yet asked for; past that libcurl is told to wait.
constexpr std::size_t readAhead = 1024 * 1024;
constexpr std::uint64_t expectOver = 1024 * 1024;

template <class T> void set(CURL *easy, CURLoption option, T value) {
  requireOption(curl_easy_setopt(easy, option, value), option);
}

void append(std::unique_ptr<curl_slist, void (*)(curl_slist *)> &list, const std::string &line) {
  auto *longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) {
    throw std::bad_alloc();
  }
  static_cast<void>(list.release());
  list.reset(longer);
}

} // namespace

Exchange::Exchange(std::shared_ptr<void> multi, const ClientRequest &request, const ClientOptions &options)
    : multi_(std::move(multi)), easy_(curl_easy_init(), curl_easy_cleanup), headerList_(nullptr, curl_slist_free_all),
      method_(request.method), url_(request.url), whileWaiting_(options.whileWaiting), body_(request.body) {
  if (!easy_) {
    throw std::bad_alloc();
  }
  setUp(options);
  setUpPeer(request.peer);
  setUpBody();
  setUpHeaders(request.headers);
  if (const auto added = curl_multi_add_handle(multi_.get(), easy_.get()); added != CURLM_OK) {
    throw Fault(FaultCode::Internal, std::string("libcurl cannot start a transfer: ") + curl_multi_strerror(added),
                url_);
  }
}

Exchange::~Exchange() { curl_multi_remove_handle(multi_.get(), easy_.get()); }

void Exchange::setUp(const ClientOptions &options) {
  auto *easy = easy_.get();
  set(easy, CURLOPT_URL, url_.c_str());
  set(easy, CURLOPT_PRIVATE, static_cast<void *>(this));
  set(easy, CURLOPT_PROTOCOLS_STR, "https");
  set(easy, CURLOPT_PROXY, "");
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_PATH_AS_IS, 1L);
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_NOPROGRESS, 1L);
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connectDeadline.count()));
  set(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stallDeadline.count()));
  set(easy, CURLOPT_BUFFERSIZE, receiveBuffer);
  set(easy, CURLOPT_ERRORBUFFER, found_.data());
  set(easy, CURLOPT_WRITEFUNCTION, &Exchange::onWrite);
  set(easy, CURLOPT_WRITEDATA, static_cast<void *>(this));
  set(easy, CURLOPT_HEADERFUNCTION, &Exchange::onHeader);
  set(easy, CURLOPT_HEADERDATA, static_cast<void *>(this));
}

void Exchange::setUpPeer(const PeerIdentity &peer) {
  auto *easy = easy_.get();
  if (!peer.pinnedKey.empty()) {
    // The key is the identity: who signed the certificate, for which name and until when adds nothing.
    set(easy, CURLOPT_PINNEDPUBLICKEY, pinFor(peer.pinnedKey).c_str());
    set(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    set(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  } else if (!peer.caFile.empty()) {
    set(easy, CURLOPT_CAINFO, peer.caFile.c_str());
  }
}

void Exchange::setUpBody() {
  auto *easy = easy_.get();
  if (body_ == nullptr) {
    set(easy, CURLOPT_NOBODY, method_ == "HEAD" ? 1L : 0L);
    set(easy, CURLOPT_HTTPGET, method_ == "HEAD" ? 0L : 1L);
  } else {
    unsent_ = body_->size();
    set(easy, CURLOPT_UPLOAD, 1L);
    set(easy, CURLOPT_UPLOAD_BUFFERSIZE, sendBuffer);
    set(easy, CURLOPT_INFILESIZE_LARGE, unsent_ ? static_cast<curl_off_t>(*unsent_) : curl_off_t{-1});
    set(easy, CURLOPT_READFUNCTION, &Exchange::onRead);
    set(easy, CURLOPT_READDATA, static_cast<void *>(this));
  }
  if (method_ != "HEAD") {
    set(easy, CURLOPT_CUSTOMREQUEST, method_.c_str());
  }
}

void Exchange::setUpHeaders(const Headers &headers) {
  for (const auto &[name, value] : headers.all()) {
    if (hasControlCharacters(name) || hasControlCharacters(value)) {
      throw Fault(FaultCode::BadParameter, "a header field to be sent has control characters",
                  printable(name + ": " + value));
    }
    // libcurl writes a field without a value only when it ends in a semicolon.
    append(headerList_, value.empty() ? name + ";" : name + ": " + value);
  }
  if (body_ != nullptr) {
    append(headerList_, !unsent_ || *unsent_ > expectOver ? "Expect: 100-continue" : "Expect:");
  }
  set(easy_.get(), CURLOPT_HTTPHEADER, headerList_.get());
}

void Exchange::step(bool mayWait) {
  moved_ = false;
  int running = 0;
  auto result = curl_multi_perform(multi_.get(), &running);
  int left = 0;
  while (const auto *message = curl_multi_info_read(multi_.get(), &left)) {
    void *owner = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
    if (message->msg == CURLMSG_DONE && owner != nullptr) {
      static_cast<Exchange *>(owner)->finished(message->data.result);
    }
  }
  if (result == CURLM_OK && mayWait && !moved_ && !done_) {
    result = curl_multi_poll(multi_.get(), nullptr, 0, 1000, nullptr);
    if (whileWaiting_) {
      whileWaiting_();
    }
  }
  if (result != CURLM_OK) {
    throw Fault(FaultCode::Internal, std::string("libcurl: ") + curl_multi_strerror(result), url_);
  }
}

void Exchange::finished(int result) {
  done_ = true;
  moved_ = true;
  result_ = result;
}

void Exchange::throwFailure() {
  if (thrown_) {
    std::rethrow_exception(std::exchange(thrown_, nullptr));
  }
  throw deliveryFailure(method_, url_, result_, found_.data());
}

void Exchange::awaitHead() {
  while (!headDone_ && !done_) {
    step(true);
  }
  if (!headDone_) {
    if (result_ == CURLE_OK && !thrown_) {
      result_ = CURLE_GOT_NOTHING;
    }
    throwFailure();
  }
}

std::optional<std::uint64_t> Exchange::length() const {
  curl_off_t length = -1;
  curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  return length < 0 || method_ == "HEAD" ? std::nullopt : std::optional(static_cast<std::uint64_t>(length));
}

std::size_t Exchange::drainKept(std::span<std::byte> into) {
  const auto count = std::min(into.size(), kept_.size() - keptBegin_);
  std::copy_n(kept_.begin() + static_cast<std::ptrdiff_t>(keptBegin_), count, into.begin());
  keptBegin_ += count;
  if (keptBegin_ == kept_.size()) {
    kept_.clear();
    keptBegin_ = 0;
  }
  return count;
}

std::size_t Exchange::read(std::span<std::byte> into) {
  if (const auto count = drainKept(into); count != 0 || into.empty()) {
    return count;
  }
  wanted_ = into;
  const auto taken = [&] { return into.size() - wanted_.size(); };
  if (paused_) {
    paused_ = false;
    curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
  }
  // A record at a time comes in; going on while more is there saves the layers above most of their calls.
  do {
    step(taken() == 0);
  } while (!done_ && !wanted_.empty() && (taken() == 0 || moved_));
  const auto count = taken();
  wanted_ = {};
  if (count == 0 && (result_ != CURLE_OK || thrown_)) {
    throwFailure();
  }
  return count;
}

bool Exchange::take(ByteView bytes) {
  if (kept_.size() - keptBegin_ >= readAhead) {
    paused_ = true;
    return false;
  }
  moved_ = true;
  const auto direct = kept_.empty() ? std::min(wanted_.size(), bytes.size()) : 0;
  std::copy_n(bytes.begin(), direct, wanted_.begin());
  wanted_ = wanted_.subspan(direct);
  const auto rest = bytes.subspan(direct);
  kept_.insert(kept_.end(), rest.begin(), rest.end());
  return true;
}

std::size_t Exchange::give(std::span<std::byte> into) {
  keepReplyReadable(easy_.get());
  const auto room = unsent_ ? static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), *unsent_)) : into.size();
  std::size_t count = 0;
  while (count < std::min(room, smallestPiece)) {
    const auto got = body_->read(into.subspan(count, room - count));
    if (got == 0) {
      break;
    }
    count += got;
  }
  if (unsent_) {
    *unsent_ -= count;
    if (count == 0 && *unsent_ != 0) {
      throw Fault(FaultCode::Internal,
                  "the request's body ended " + std::to_string(*unsent_) + " bytes before its promised length", url_);
    }
  }
  moved_ = true;
  return count;
}

void Exchange::headerLine(std::string_view line) {
  moved_ = true;
  if (headDone_) {
    return; // trailer fields
  }
  const auto text = trimmed(line);
  if (text.starts_with("HTTP/")) {
    headers_ = {};
    const auto code = text.substr(std::min(text.find(' '), text.size() - 1) + 1);
    std::from_chars(code.data(), code.data() + code.size(), status_);
  } else if (text.empty()) {
    headDone_ = status_ >= 200;
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    headers_.add(std::string(trimmed(text.substr(0, colon))), std::string(trimmed(text.substr(colon + 1))));
  }
}

std::size_t Exchange::onRead(char *into, std::size_t size, std::size_t count, void *self) noexcept {
  auto &exchange = *static_cast<Exchange *>(self);
  try {
    return exchange.give({reinterpret_cast<std::byte *>(into), size * count});
  } catch (...) {
    exchange.thrown_ = std::current_exception();
    return CURL_READFUNC_ABORT;
  }
}

std::size_t Exchange::onWrite(char *bytes, std::size_t size, std::size_t count, void *self) noexcept {
  auto &exchange = *static_cast<Exchange *>(self);
  try {
    return exchange.take(asBytes({bytes, size * count})) ? size * count : CURL_WRITEFUNC_PAUSE;
  } catch (...) {
    exchange.thrown_ = std::current_exception();
    return 0;
  }
}

std::size_t Exchange::onHeader(char *bytes, std::size_t size, std::size_t count, void *self) noexcept {
  auto &exchange = *static_cast<Exchange *>(self);
  try {
    exchange.headerLine({bytes, size * count});
    return size * count;
  } catch (...) {
    exchange.thrown_ = std::current_exception();
    return 0;
  }
}

} // namespace waybill::transport
