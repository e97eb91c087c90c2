// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/content_holds.hpp"
#include "storage/content_store.hpp"
#include "storage/publication.hpp"
#include "storage/store_folder.hpp"
#include "storage/sync_calls.hpp"

#include <functional>
#include <memory>
#include <string>

namespace waybill::storage {

/// ContentStore in a folder: content/ab/cd/<id>, content/mark, staging/<id>. See openFileStore.
class FileStore final : public ContentStore {
public:
  FileStore(std::string folder, std::function<std::string()> makeId, std::unique_ptr<SyncCalls> calls);

  [[nodiscard]] std::unique_ptr<StagedContent> stage() override;
  void publish(std::span<StagedContent *const> staged) override;
  [[nodiscard]] std::unique_ptr<ContentReader> open(const std::string &id) const override;
  [[nodiscard]] std::unique_ptr<HeldContent> hold(const std::string &id) const override;
  void remove(const std::string &id) noexcept override;
  std::size_t recover(const std::function<bool(const std::string &id, std::uint64_t size)> &keep) override;
  [[nodiscard]] bool isEmpty() const override;
  [[nodiscard]] std::optional<std::string> mark() const override;
  void putMark(const std::string &mark) override;
  [[nodiscard]] std::uint64_t freeBytes() const override;
  [[nodiscard]] std::string readOnlyReason() const override { return folder_.readOnlyReason(); }
  void requireWritable() const override { folder_.requireWritable(); }

private:
  /// Calls `visit` for each content file, in the order of the ids, until it says false.
  void walk(const std::function<bool(const std::string &id, const std::string &path)> &visit) const;
  [[nodiscard]] std::unique_ptr<ContentReader> openFile(const std::string &id) const;

  std::function<std::string()> makeId_;
  StoreFolder folder_;
  DurableFolders durable_;
  mutable ContentHolds holds_;
};

} // namespace waybill::storage
