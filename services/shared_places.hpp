// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace waybill::services {

/// So many places, of which one principal has half at most (and one at least): what is slow for one leaves some for the
/// others. Who finds none does not wait. Thread-safe; must outlive its places.
class SharedPlaces {
public:
  explicit SharedPlaces(std::size_t most) : most_(most) {}

  /// One place, until it is destroyed.
  class Place {
  public:
    ~Place() { places_.leave(principal_); }
    Place(const Place &) = delete;
    Place &operator=(const Place &) = delete;

  private:
    friend class SharedPlaces;
    Place(SharedPlaces &places, std::string principal) : places_(places), principal_(std::move(principal)) {}
    SharedPlaces &places_;
    std::string principal_;
  };

  /// Null when there is none, in all or for `principal`.
  [[nodiscard]] std::unique_ptr<Place> take(const std::string &principal);
  /// How many are taken now.
  [[nodiscard]] std::size_t taken() const;

private:
  void leave(const std::string &principal);

  std::size_t most_;
  mutable std::mutex mutex_;
  std::size_t taken_ = 0;                 ///< guarded by mutex_, as is the next
  std::map<std::string, std::size_t> by_; ///< by principal, those that have some
};

} // namespace waybill::services
