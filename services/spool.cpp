// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/spool.hpp"

namespace waybill::services {

namespace {

class Spooled final : public soap::SpoolFile {
public:
  Spooled(std::unique_ptr<storage::SpooledFile> file, const DiskRoom &room)
      : file_(std::move(file)), watch_(room, {}) {}

  void write(ByteView bytes) override {
    watch_.before(bytes.size());
    file_->write(bytes);
  }
  [[nodiscard]] std::unique_ptr<Source> reopen() override { return file_->reopen(); }
  [[nodiscard]] std::unique_ptr<Source> reopenAt(std::uint64_t offset) override { return file_->reopen(offset); }

private:
  std::unique_ptr<storage::SpooledFile> file_;
  RoomWatch watch_;
};

} // namespace

soap::Spool spoolIn(const std::string &home, const DiskRoom &room) {
  return [home, &room] { return std::make_unique<Spooled>(storage::spoolFile(home), room); };
}

} // namespace waybill::services
