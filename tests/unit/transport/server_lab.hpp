// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "transport/server.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::transport {

/// A temporary folder with a self-signed certificate and its key.
class CertificateFolder {
public:
  CertificateFolder();
  ~CertificateFolder();
  CertificateFolder(const CertificateFolder &) = delete;
  CertificateFolder &operator=(const CertificateFolder &) = delete;

  /// Another key and certificate in the same files.
  void renew(const std::string &name) const;
  [[nodiscard]] std::string certificate() const { return (path_ / "server.crt").string(); }
  [[nodiscard]] std::string key() const { return (path_ / "server.key").string(); }
  [[nodiscard]] std::string file(const std::string &name) const { return (path_ / name).string(); }

private:
  std::filesystem::path path_;
};

/// The server under test, on a free port of loopback, with what it reported.
class ServerLab {
public:
  using Handle = std::function<void(Request &, Response &)>;
  using Tune = std::function<void(ServerOptions &)>;

  explicit ServerLab(
      Handle handle, const Tune &tune = [](ServerOptions &) {});

  [[nodiscard]] Server &server() { return *server_; }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] std::string url(std::string_view path) const;
  [[nodiscard]] const CertificateFolder &folder() const { return folder_; }
  /// How often a refusal was reported.
  [[nodiscard]] std::size_t refused(std::string_view outcome) const;
  [[nodiscard]] std::string log() const;
  [[nodiscard]] std::int64_t idle() const;
  [[nodiscard]] std::int64_t active() const;
  /// Waits (bounded) until the server holds that many connections in all.
  [[nodiscard]] bool settlesAt(std::int64_t connections) const;

private:
  struct Calling final : Handler {
    Handle call;
    void handle(Request &request, Response &response) override { call(request, response); }
  };
  CertificateFolder folder_;
  Calling handler_;
  mutable std::mutex mutex_;
  std::vector<std::string> refusals_;
  std::string log_;
  std::int64_t idle_ = 0;
  std::int64_t active_ = 0;
  std::unique_ptr<Server> server_;
};

/// Asks again and again, for ten seconds at most.
[[nodiscard]] bool eventually(const std::function<bool()> &condition);

/// A reply, taken apart as far as tests need it.
struct Reply {
  int status = 0;
  std::string head;
  std::string body;
  /// The value of a header field; empty when there is none.
  [[nodiscard]] std::string field(const std::string &name) const;
};

/// A TLS client that sends whatever bytes a test wants, and never raises SIGPIPE. Reads give up after 20 seconds.
class RawClient {
public:
  struct Options {
    bool handshake = true;
    int maximumVersion = 0;     ///< OpenSSL's number; 0: any
    std::string protocols = {}; ///< ALPN, in wire form
    std::uint8_t address = 1;   ///< the last byte of the one of loopback that it calls from
  };
  explicit RawClient(std::uint16_t port) : RawClient(port, Options{}) {}
  RawClient(std::uint16_t port, Options options);
  ~RawClient();
  RawClient(RawClient &&) noexcept;
  RawClient(const RawClient &) = delete;
  RawClient &operator=(const RawClient &) = delete;

  [[nodiscard]] bool isConnected() const; ///< the handshake succeeded
  /// False once the server does not take any more.
  bool send(std::string_view text);
  /// Bytes past TLS.
  void sendPlain(std::string_view text);
  /// One reply: a head, and a body by Content-Length or chunks (none after HEAD). Status 0 when the connection ended.
  [[nodiscard]] Reply reply(bool toHead = false);
  [[nodiscard]] std::string readHead();
  [[nodiscard]] std::string readBytes(std::size_t count);
  [[nodiscard]] std::string readToEnd();
  /// The server has said close_notify and no more; to be called after the last reply was read.
  [[nodiscard]] bool isClosedInOrder();
  void closeNotify(); ///< says that nothing more will be sent
  void hangUp();      ///< ends its direction without saying so in TLS
  void cut();         ///< resets the connection
  [[nodiscard]] std::string protocol() const;
  [[nodiscard]] std::string subject() const; ///< common name of the server's certificate

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Runs curl against the lab: what it wrote to its output, and its exit code.
struct CurlResult {
  int code = -1;
  std::string output;
};
[[nodiscard]] CurlResult curl(const std::string &arguments);

/// Reads a body to its end.
[[nodiscard]] std::string bodyOf(Request &request);

} // namespace waybill::transport
