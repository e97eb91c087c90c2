// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/client_exchange.hpp"

#include "domain/text.hpp"
#include "transport/curl_support.hpp"
#include "transport/early_reply.hpp"
#include "transport/url.hpp"

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
constexpr std::size_t readAhead = 256 * 1024;
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

void requireMulti(CURLMcode result) {
  if (result != CURLM_OK) {
    throw Fault(FaultCode::Internal, std::string("libcurl: ") + curl_multi_strerror(result));
  }
}

} // namespace

Exchange::Exchange(std::shared_ptr<void> multi, const ClientRequest &request, const ClientOptions &options)
    : multi_(std::move(multi)), easy_(curl_easy_init(), curl_easy_cleanup), headerList_(nullptr, curl_slist_free_all),
      method_(request.method), url_(request.url), whileWaiting_(options.whileWaiting), guard_(options.guard),
      body_(request.body) {
  if (!easy_) {
    throw std::bad_alloc();
  }
  if (guard_) {
    admission_ = guard_->check(url_);
  }
  setUp(options);
  setUpPeer(admission_.trusted.value_or(request.peer));
  ftp_ = admission_.parts.scheme == "ftp";
  if (ftp_) {
    setUpFtp(request.offset);
  } else {
    setUpBody();
  }
  setUpHeaders(request.headers);
  if (const auto added = curl_multi_add_handle(multi_.get(), easy_.get()); added != CURLM_OK) {
    throw Fault(FaultCode::Internal, std::string("libcurl cannot start a transfer: ") + curl_multi_strerror(added),
                printableUrl(url_));
  }
}

Exchange::~Exchange() { curl_multi_remove_handle(multi_.get(), easy_.get()); }

void Exchange::setUp(const ClientOptions &options) {
  auto *easy = easy_.get();
  set(easy, CURLOPT_URL, url_.c_str());
  set(easy, CURLOPT_PRIVATE, static_cast<void *>(this));
  set(easy, CURLOPT_PROTOCOLS_STR, guard_ ? admission_.parts.scheme.c_str() : "https");
  set(easy, CURLOPT_PROXY, "");
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_PATH_AS_IS, 1L);
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_NOPROGRESS, 1L);
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connectDeadline.count()));
  set(easy, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options.minimumRate));
  set(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stallDeadline.count()));
  set(easy, CURLOPT_BUFFERSIZE, receiveBuffer);
  set(easy, CURLOPT_ERRORBUFFER, found_.data());
  set(easy, CURLOPT_WRITEFUNCTION, &Exchange::onWrite);
  set(easy, CURLOPT_WRITEDATA, static_cast<void *>(this));
  set(easy, CURLOPT_HEADERFUNCTION, &Exchange::onHeader);
  set(easy, CURLOPT_HEADERDATA, static_cast<void *>(this));
  if (guard_) {
    setUpGuard();
  }
}

void Exchange::setUpFtp(std::uint64_t offset) {
  // A folder's listing is no content, and ";type=a" would have line ends changed on the way.
  if (const auto path = lowerCase(decodedPath(url_)); path.ends_with('/') || path.find(";type=") != std::string::npos) {
    throw Fault(FaultCode::AddressNotAllowed,
                "'" + printableUrl(url_) +
                    "' names no file; by ftp files are read, and in binary, so leave out ';type='",
                printableUrl(url_));
  }
  auto *easy = easy_.get();
  set(easy, CURLOPT_FTP_FILEMETHOD, static_cast<long>(CURLFTPMETHOD_NOCWD));
  set(easy, CURLOPT_FILETIME, 1L);
  set(easy, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(offset));
  status_ = offset == 0 ? 200 : 206;
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

bool Exchange::advance(void *multi) {
  int running = 0;
  const auto result = curl_multi_perform(multi, &running);
  bool ended = false;
  int left = 0;
  while (const auto *message = curl_multi_info_read(multi, &left)) {
    void *owner = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
    if (message->msg == CURLMSG_DONE && owner != nullptr) {
      static_cast<Exchange *>(owner)->finished(message->data.result);
      ended = true;
    }
  }
  requireMulti(result);
  return ended;
}

void Exchange::await(void *multi, std::chrono::milliseconds longest) {
  requireMulti(curl_multi_poll(multi, nullptr, 0, static_cast<int>(longest.count()), nullptr));
}

void Exchange::step(bool mayWait) {
  moved_ = false;
  advance(multi_.get());
  if (mayWait && !moved_ && !done_) {
    await(multi_.get(), std::chrono::seconds(1));
    if (whileWaiting_) {
      whileWaiting_();
    }
  }
}

void Exchange::finished(int result) {
  done_ = true;
  moved_ = true;
  result_ = result;
  headDone_ = headDone_ || (ftp_ && result == CURLE_OK); // an empty file
}

void Exchange::throwFailure() {
  if (thrown_) {
    std::rethrow_exception(std::exchange(thrown_, nullptr));
  }
  if (refused_ && (result_ == CURLE_COULDNT_CONNECT || result_ == CURLE_ABORTED_BY_CALLBACK)) {
    std::rethrow_exception(refused_);
  }
  throw deliveryFailure(method_, url_, result_, found_.data(), sent_);
}

void Exchange::throwIfFailed() {
  if (result_ != CURLE_OK || thrown_) {
    throwFailure();
  }
}

bool Exchange::timedOut() const noexcept { return result_ == CURLE_OPERATION_TIMEDOUT; }

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

std::optional<std::int64_t> Exchange::fileTime() const {
  curl_off_t time = -1;
  curl_easy_getinfo(easy_.get(), CURLINFO_FILETIME_T, &time);
  return time < 0 ? std::nullopt : std::optional<std::int64_t>(time);
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

void Exchange::pushTo(std::function<void(ByteView)> sink) {
  sink_ = std::move(sink);
  const auto kept = std::exchange(kept_, {});
  if (const auto rest = ByteView(kept).subspan(std::exchange(keptBegin_, 0)); !rest.empty()) {
    sink_(rest);
  }
  if (paused_) {
    paused_ = false;
    curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
  }
}

bool Exchange::take(ByteView bytes) {
  headDone_ = headDone_ || ftp_;
  if (sink_) {
    sink_(bytes);
    return true;
  }
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
  // What has no length comes from a pipe, perhaps, and is sent as it comes.
  const auto enough = unsent_ ? std::min(room, smallestPiece) : std::size_t{1};
  std::size_t count = 0;
  while (count < enough) {
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
                  "the request's body ended " + std::to_string(*unsent_) + " bytes before its promised length",
                  printableUrl(url_));
    }
  }
  moved_ = true;
  sent_ = sent_ || count != 0;
  return count;
}

void Exchange::headerLine(std::string_view line) {
  moved_ = true;
  if (headDone_ || ftp_) {
    return; // trailer fields; what ftp says while it works
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
