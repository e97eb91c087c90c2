// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/client.hpp"

#include "transport/client_exchange.hpp"
#include "transport/curl_support.hpp"
#include "transport/egress.hpp"
#include "transport/url.hpp"

#include <curl/curl.h>

#include <array>
#include <utility>

namespace waybill::transport {

namespace {

template <class T> void set(CURL *easy, CURLoption option, T value) {
  requireOption(curl_easy_setopt(easy, option, value), option);
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
  throw DeliveryFault(printableUrl(url) +
                          ": the server shows no certificate; check that this is the port of an instance",
                      printableUrl(url), false);
}

} // namespace

struct Client::State {
  ClientOptions options;
  std::shared_ptr<void> multi; ///< CURLM
};

Client::Client(ClientOptions options) : state_(std::make_unique<State>()) {
  startLibcurl();
  state_->options = std::move(options);
  state_->multi = std::shared_ptr<void>(curl_multi_init(), curl_multi_cleanup);
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
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(), curl_easy_cleanup);
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
    throw deliveryFailure("connect to", url, result, found.data());
  }
  return firstCertificate(easy.get(), url);
}

} // namespace waybill::transport
