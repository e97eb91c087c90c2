// SPDX-License-Identifier: GPL-3.0-or-later
#include "support.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace waybill::security::tests {

TemporaryFolder::TemporaryFolder() {
  auto name = (std::filesystem::temp_directory_path() / "waybill-security-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("no temporary folder: " + name);
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Time at(const std::string &utc) {
  const auto time = parseUtc(utc);
  CPPUNIT_ASSERT_MESSAGE(utc, time);
  return *time;
}

std::string vectorFile(const std::string &name) { return WAYBILL_SOURCE_DIR "/tests/vectors/tokens/" + name; }

std::string readFile(const std::string &file) {
  const std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw std::runtime_error("cannot read " + file);
  }
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

void writeFile(const std::string &file, const std::string &text, unsigned mode) {
  std::ofstream(file, std::ios::binary) << text;
  std::filesystem::permissions(file, static_cast<std::filesystem::perms>(mode));
}

const InstanceKey &keyOf(const std::string &name) {
  static const auto keys = [] {
    std::map<std::string, InstanceKey> all;
    for (const std::string each : {"alice", "lab", "rita", "rsalab", "stranger", "mallory"}) {
      const TemporaryFolder home; // a checkout does not keep the mode 0600
      writeFile(home.file("instance.key"), readFile(vectorFile(each + ".key")), 0600);
      writeFile(home.file("instance.crt"), readFile(vectorFile(each + ".crt")));
      all.emplace(each, InstanceKey::load(home.path()));
    }
    return all;
  }();
  return keys.at(name);
}

TokenClaims claimsFor(const InstanceKey &issuer, const InstanceKey &audience) {
  TokenClaims claims;
  claims.id = "00112233445566778899aabbccddeeff";
  claims.issuer = issuer.id();
  claims.audience = audience.id();
  claims.operations = {"Copy"};
  claims.notBefore = at("2026-01-31T12:00:00Z");
  claims.notAfter = at("2026-01-31T12:30:00Z");
  return claims;
}

FindKeys finderOf(std::vector<Certificate> trusted) {
  return [trusted = std::move(trusted)](ByteView subjectKeyId) {
    std::vector<Certificate> found;
    std::ranges::copy_if(trusted, std::back_inserter(found), [&](const Certificate &certificate) {
      return std::ranges::equal(certificate.subjectKeyId(), subjectKeyId);
    });
    return found;
  };
}

std::string toBase64(ByteView bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char *>(text.data()), reinterpret_cast<const unsigned char *>(bytes.data()),
                  static_cast<int>(bytes.size()));
  text.pop_back();
  return text;
}

Bytes fromBase64(const std::string &text) {
  Bytes bytes(text.size() / 4 * 3);
  const auto length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char *>(bytes.data()),
                      reinterpret_cast<const unsigned char *>(text.data()), static_cast<int>(text.size()));
  CPPUNIT_ASSERT(length >= 0);
  bytes.resize(bytes.size() - static_cast<std::size_t>(std::count(text.begin(), text.end(), '=')));
  return bytes;
}

void expectMentions(const Fault &fault, const std::string &text) {
  CPPUNIT_ASSERT_MESSAGE(std::string(fault.what()) + " does not mention " + text,
                         std::string(fault.what()).find(text) != std::string::npos);
}

} // namespace waybill::security::tests
