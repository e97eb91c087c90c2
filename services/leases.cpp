// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/leases.hpp"

#include <charconv>

namespace waybill::services {

void Leases::begin(const std::string &secret, std::vector<LeasedContent> contents,
                   std::shared_ptr<std::atomic<std::uint64_t>> read) {
  const std::lock_guard lock(mutex_);
  auto &lease = leases_[secret];
  lease.contents = std::move(contents);
  lease.read = std::move(read);
}

void Leases::end(const std::string &secret) {
  const std::lock_guard lock(mutex_);
  if (const auto found = leases_.find(secret); found != leases_.end()) {
    *found->second.over = true;
    leases_.erase(found);
  }
}

std::optional<Leases::Found> Leases::find(std::string_view path) const {
  const auto slash = path.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto digits = path.substr(slash + 1);
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const std::lock_guard lock(mutex_);
  const auto lease = leases_.find(path.substr(0, slash));
  if (error != std::errc() || end != digits.data() + digits.size() || lease == leases_.end() ||
      number >= lease->second.contents.size()) {
    return std::nullopt;
  }
  return Found{lease->second.contents[number], lease->second.read, lease->second.over};
}

} // namespace waybill::services
