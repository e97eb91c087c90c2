// SPDX-License-Identifier: GPL-3.0-or-later
#include "transport/server_lab.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace waybill::transport {

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE *)>;

File create(const std::string &path) {
  File file(std::fopen(path.c_str(), "we"), std::fclose);
  if (!file) {
    throw std::runtime_error("cannot write " + path);
  }
  return file;
}

} // namespace

CertificateFolder::CertificateFolder() {
  auto name = (std::filesystem::temp_directory_path() / "waybill-server-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("no temporary folder");
  }
  path_ = name;
  renew("first");
}

CertificateFolder::~CertificateFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void CertificateFolder::renew(const std::string &name) const {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), pair.get());
  auto *subject = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char *>(name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(made.get(), subject);
  X509_sign(made.get(), pair.get(), EVP_sha256());
  if (PEM_write_X509(create(certificate()).get(), made.get()) != 1 ||
      PEM_write_PrivateKey(create(key()).get(), pair.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    throw std::runtime_error("no certificate");
  }
}

ServerLab::ServerLab(Handle handle, const Tune &tune) {
  handler_.call = std::move(handle);
  ServerOptions options;
  options.port = 0;
  options.workers = 4;
  options.certificateFile = folder_.certificate();
  options.keyFile = folder_.key();
  tune(options);
  ServerEvents events;
  events.log = [this](const std::string &text) {
    const std::lock_guard lock(mutex_);
    log_ += text + "\n";
  };
  events.refused = [this](const char *outcome) {
    const std::lock_guard lock(mutex_);
    refusals_.emplace_back(outcome);
  };
  events.gauges = [this](std::int64_t idle, std::int64_t active) {
    const std::lock_guard lock(mutex_);
    idle_ = idle;
    active_ = active;
  };
  server_ = std::make_unique<Server>(std::move(options), handler_, std::move(events));
  server_->start();
}

std::string ServerLab::url(std::string_view path) const {
  return "https://127.0.0.1:" + std::to_string(port()) + std::string(path);
}

std::size_t ServerLab::refused(std::string_view outcome) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count(refusals_.begin(), refusals_.end(), outcome));
}

std::string ServerLab::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}

std::int64_t ServerLab::idle() const {
  const std::lock_guard lock(mutex_);
  return idle_;
}

std::int64_t ServerLab::active() const {
  const std::lock_guard lock(mutex_);
  return active_;
}

bool ServerLab::settlesAt(std::int64_t connections) const {
  return eventually([&] { return idle() + active() == connections; });
}

bool eventually(const std::function<bool()> &condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

CurlResult curl(const std::string &arguments) {
  const auto command = "curl --silent --insecure --max-time 60 " + arguments + " 2>&1";
  std::FILE *pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) {
    throw std::runtime_error("cannot run curl");
  }
  CurlResult result;
  std::array<char, 4096> block{};
  while (const auto got = std::fread(block.data(), 1, block.size(), pipe)) {
    result.output.append(block.data(), got);
  }
  const int status = pclose(pipe);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

std::string bodyOf(Request &request) { return readAll(*request.body, 64 * 1024 * 1024, "the body"); }

} // namespace waybill::transport
