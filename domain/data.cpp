// SPDX-License-Identifier: GPL-3.0-or-later
#include "domain/data.hpp"

namespace waybill {

std::string_view name(DigestAlgorithm algorithm) noexcept {
  switch (algorithm) {
  case DigestAlgorithm::Sha256: return "sha-256";
  case DigestAlgorithm::Adler32: return "adler32";
  }
  return "sha-256";
}

std::optional<DigestAlgorithm> digestAlgorithmNamed(std::string_view wanted) noexcept {
  for (const auto algorithm : {DigestAlgorithm::Sha256, DigestAlgorithm::Adler32}) {
    if (name(algorithm) == wanted) {
      return algorithm;
    }
  }
  return std::nullopt;
}

} // namespace waybill
