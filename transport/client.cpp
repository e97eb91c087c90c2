// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/client.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"
#include "transport/early_reply.hpp"

#include <curl/curl.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <exception>
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

struct EasyDeleter {
  void operator()(CURL *easy) const noexcept { curl_easy_cleanup(easy); }
};
struct MultiDeleter {
  void operator()(CURLM *multi) const noexcept { curl_multi_cleanup(multi); }
};
struct ListDeleter {
  void operator()(curl_slist *list) const noexcept { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;
using Multi = std::shared_ptr<CURLM>;
using List = std::unique_ptr<curl_slist, ListDeleter>;

void startLibrary() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) {
    throw Fault(FaultCode::Internal, std::string("libcurl cannot be started: ") + curl_easy_strerror(started));
  }
}

template <class T> void set(CURL *easy, CURLoption option, T value) {
  if (const auto result = curl_easy_setopt(easy, option, value); result != CURLE_OK) {
    throw Fault(FaultCode::Internal,
                "libcurl refuses option " + std::to_string(option) + ": " + curl_easy_strerror(result));
  }
}

void append(List &list, const std::string &line) {
  auto *longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) {
    throw std::bad_alloc();
  }
  static_cast<void>(list.release());
  list.reset(longer);
}

/// libcurl's way to write a pin: "sha256//" + base64.
std::string pinFor(const std::string &hex) {
  const auto bytes = fromHex(hex);
  if (!bytes || bytes->size() != 32) {
    throw Fault(FaultCode::BadParameter, "a pinned key is the hex SHA-256 of a public key (64 digits)",
                printable(hex, 80));
  }
  std::array<unsigned char, 48> text{};
  const int length = EVP_EncodeBlock(text.data(), reinterpret_cast<const unsigned char *>(bytes->data()), 32);
  return "sha256//" + std::string(text.begin(), text.begin() + length);
}

std::string adviceFor(CURLcode result) {
  switch (result) {
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_URL_MALFORMAT: return "use a URL of the form https://host:port/path; nothing but https is spoken";
  case CURLE_COULDNT_RESOLVE_HOST: return "check the host name";
  case CURLE_COULDNT_CONNECT: return "check that the instance is running there, and the port";
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    return "the server shows another key than the trusted one: either it was given a new key, then trust that, or "
           "somebody is in between, then do not";
  case CURLE_PEER_FAILED_VERIFICATION:
    return "its certificate is of no known authority, or for another name; trust its key, or give the CA file";
  case CURLE_SSL_CONNECT_ERROR: return "check that this port speaks TLS 1.2 or later";
  case CURLE_OPERATION_TIMEDOUT:
    return "the other side did not answer or move data in time; try again, or check the network";
  default: return "try again; if it fails again, look at the log of the instance";
  }
}

/// Whether the same request may succeed a moment later.
bool mayPass(CURLcode result) {
  switch (result) {
  case CURLE_COULDNT_CONNECT:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_GOT_NOTHING:
  case CURLE_PARTIAL_FILE:
  case CURLE_SEND_FAIL_REWIND: return true;
  default: return false;
  }
}

DeliveryFault failure(const std::string &method, const std::string &url, CURLcode result, const std::string &found) {
  const std::string cause = found.empty() ? curl_easy_strerror(result) : found;
  return {method + " " + printable(url, 300) + ": " + cause + "; " + adviceFor(result), url, mayPass(result)};
}

/// One request and its reply, driven by whoever waits for it.
class Exchange {
public:
  Exchange(Multi multi, const ClientRequest &request, const ClientOptions &options);
  ~Exchange();
  Exchange(const Exchange &) = delete;
  Exchange &operator=(const Exchange &) = delete;

  /// Sends and receives until the reply's head is complete.
  void awaitHead();
  /// As Source::read.
  std::size_t read(std::span<std::byte> into);

  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] Headers takeHeaders() { return std::move(headers_); }
  [[nodiscard]] std::optional<std::uint64_t> length() const;

private:
  void setUp(const ClientOptions &options);
  void setUpPeer(const PeerIdentity &peer);
  void setUpBody();
  void setUpHeaders(const Headers &headers);
  void step(bool mayWait);
  void finished(CURLcode result);
  void throwFailure();
  std::size_t give(std::span<std::byte> into);
  bool take(ByteView bytes);
  void headerLine(std::string_view line);
  std::size_t drainKept(std::span<std::byte> into);

  static std::size_t onRead(char *into, std::size_t size, std::size_t count, void *self) noexcept;
  static std::size_t onWrite(char *bytes, std::size_t size, std::size_t count, void *self) noexcept;
  static std::size_t onHeader(char *bytes, std::size_t size, std::size_t count, void *self) noexcept;

  Multi multi_;
  Easy easy_;
  List headerList_;
  std::array<char, CURL_ERROR_SIZE> found_{};
  std::string method_;
  std::string url_;
  std::function<void()> whileWaiting_;

  Source *body_;
  std::optional<std::uint64_t> unsent_; ///< what is left of a body of known length

  int status_ = 0;
  Headers headers_;
  bool headDone_ = false;
  std::span<std::byte> wanted_; ///< where the reader wants bytes, while it waits
  Bytes kept_;                  ///< bytes that came unasked
  std::size_t keptBegin_ = 0;
  bool paused_ = false;
  bool moved_ = false; ///< something happened during the last step
  bool done_ = false;
  CURLcode result_ = CURLE_OK;
  std::exception_ptr thrown_; ///< by the request's body
};

Exchange::Exchange(Multi multi, const ClientRequest &request, const ClientOptions &options)
    : multi_(std::move(multi)), easy_(curl_easy_init()), method_(request.method), url_(request.url),
      whileWaiting_(options.whileWaiting), body_(request.body) {
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

void Exchange::finished(CURLcode result) {
  done_ = true;
  moved_ = true;
  result_ = result;
}

void Exchange::throwFailure() {
  if (thrown_) {
    std::rethrow_exception(std::exchange(thrown_, nullptr));
  }
  throw failure(method_, url_, result_, found_.data());
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

class ReplyBody final : public Source {
public:
  explicit ReplyBody(std::unique_ptr<Exchange> exchange)
      : exchange_(std::move(exchange)), length_(exchange_->length()) {}
  std::size_t read(std::span<std::byte> into) override { return exchange_->read(into); }
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return length_; }

private:
  std::unique_ptr<Exchange> exchange_;
  std::optional<std::uint64_t> length_;
};

std::string firstCertificate(CURL *easy, const std::string &url) {
  curl_certinfo *chain = nullptr;
  curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain);
  static constexpr std::string_view field = "Cert:";
  for (const auto *line = chain != nullptr && chain->num_of_certs > 0 ? chain->certinfo[0] : nullptr; line != nullptr;
       line = line->next) {
    if (const std::string_view text(line->data); text.starts_with(field)) {
      return std::string(text.substr(field.size()));
    }
  }
  throw DeliveryFault(printable(url, 300) +
                          ": the server shows no certificate; check that this is the port of an instance",
                      url, false);
}

} // namespace

struct Client::State {
  ClientOptions options;
  Multi multi;
};

Client::Client(ClientOptions options) : state_(std::make_unique<State>()) {
  startLibrary();
  state_->options = std::move(options);
  state_->multi = Multi(curl_multi_init(), MultiDeleter{});
  if (!state_->multi) {
    throw std::bad_alloc();
  }
}

Client::~Client() = default;

ClientResponse Client::perform(const ClientRequest &request) {
  auto exchange = std::make_unique<Exchange>(state_->multi, request, state_->options);
  exchange->awaitHead();
  ClientResponse response;
  response.status = exchange->status();
  response.headers = exchange->takeHeaders();
  response.body = std::make_unique<ReplyBody>(std::move(exchange));
  return response;
}

std::string Client::certificateOf(const std::string &url) {
  const Easy easy(curl_easy_init());
  if (!easy) {
    throw std::bad_alloc();
  }
  std::array<char, CURL_ERROR_SIZE> found{};
  set(easy.get(), CURLOPT_URL, url.c_str());
  set(easy.get(), CURLOPT_PROTOCOLS_STR, "https");
  set(easy.get(), CURLOPT_PROXY, "");
  set(easy.get(), CURLOPT_NOSIGNAL, 1L);
  set(easy.get(), CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(easy.get(), CURLOPT_SSL_VERIFYPEER, 0L);
  set(easy.get(), CURLOPT_SSL_VERIFYHOST, 0L);
  set(easy.get(), CURLOPT_CERTINFO, 1L);
  set(easy.get(), CURLOPT_CONNECT_ONLY, 1L);
  set(easy.get(), CURLOPT_CONNECTTIMEOUT, static_cast<long>(state_->options.connectDeadline.count()));
  set(easy.get(), CURLOPT_ERRORBUFFER, found.data());
  if (const auto result = curl_easy_perform(easy.get()); result != CURLE_OK) {
    throw failure("connect to", url, result, found.data());
  }
  return firstCertificate(easy.get(), url);
}

} // namespace waybill::transport
