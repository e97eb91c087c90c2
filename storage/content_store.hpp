// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "domain/bytes.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace waybill::storage {

/// True for what content is named by: 32 lower-case hex digits. Nothing else ever becomes part of a file name.
[[nodiscard]] bool isContentId(std::string_view text) noexcept;

/// Content being written: a sink into a staging file that computes size and digests on the way. Destroyed unpublished,
/// it leaves nothing. One thread at a time.
class StagedContent : public Sink {
public:
  /// Writes at an offset: for content whose parts come in any order, each byte once, instead of write(). When the
  /// digests are asked for, nothing may be missing. Throws as write() does, and Fault Internal for what was written
  /// before. Large content is written beside the caller: then a later call throws it.
  virtual void writeAt(std::uint64_t offset, ByteView bytes) = 0;
  [[nodiscard]] virtual const std::string &id() const noexcept = 0; ///< 32 hex digits: the object's id
  [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;    ///< bytes written so far
  [[nodiscard]] virtual std::string sha256Hex() = 0;                ///< call after the last write, as often as needed
  [[nodiscard]] virtual std::string adler32Hex() = 0;
};

/// Content that can be read, from any offset.
class ContentReader : public Source {
public:
  /// The next read() starts at `offset` and ends before `offset + length` (RFC 9110 range semantics are the caller's);
  /// what lies past the end of the content is left out. size() is then that of the selected part.
  virtual void select(std::uint64_t offset, std::uint64_t length) = 0;
};

/// Content that stays readable while this lives, though it be removed meanwhile. It takes no descriptor until it is
/// opened, so that a reply may hold thousands. Must not outlive its store.
class HeldContent {
public:
  virtual ~HeldContent() = default;
  /// The bytes from the start, as often as wanted. Throws Fault Busy when there is no descriptor left.
  [[nodiscard]] virtual std::unique_ptr<ContentReader> open() const = 0;
};

/// Where the bytes of data objects are. Thread-safe; must outlive what it stages. Every implementation passes
/// tests/unit/storage/content_store_suite.hpp.
class ContentStore {
public:
  virtual ~ContentStore() = default;
  /// Starts an object. Throws Fault NoSpace, or Internal when the store is read-only.
  [[nodiscard]] virtual std::unique_ptr<StagedContent> stage() = 0;
  /// Makes all of them durable under their ids, or throws (NoSpace, Busy, Internal) and leaves none. Files and their
  /// folders, new ancestors too, are synced when it returns; a failed sync turns the store read-only and is never tried
  /// again. Many are synced together.
  virtual void publish(std::span<StagedContent *const> staged) = 0;
  /// Throws Fault NoSuchData when there is no content of that id. What was opened can be read to its end though it be
  /// removed meanwhile.
  [[nodiscard]] virtual std::unique_ptr<ContentReader> open(const std::string &id) const = 0;
  /// The same promise without a descriptor. Throws Fault NoSuchData when there is no content of that id.
  [[nodiscard]] virtual std::unique_ptr<HeldContent> hold(const std::string &id) const = 0;
  /// Removes content whose row is gone, at once or when nobody holds it any more; no error when it is not there. Never
  /// throws: what cannot be removed is left to recover(), and so is everything while the store is read-only.
  virtual void remove(const std::string &id) noexcept = 0;
  /// Removes all staging files, and all content for which `keep` says false; returns how many content files went.
  /// `keep` is asked once for each, in the order of the ids. Call before serving.
  virtual std::size_t recover(const std::function<bool(const std::string &id, std::uint64_t size)> &keep) = 0;
  /// True while there is no content at all.
  [[nodiscard]] virtual bool isEmpty() const = 0;
  /// The mark that the catalog of this content has too (storage/recovery.hpp); nothing when it has not been set.
  [[nodiscard]] virtual std::optional<std::string> mark() const = 0;
  /// Durably. `mark` is a content id.
  virtual void putMark(const std::string &mark) = 0;
  /// Bytes that an upload could still use on the store's file system.
  [[nodiscard]] virtual std::uint64_t freeBytes() const = 0;
  /// Empty while the store takes data; otherwise why it is read-only.
  [[nodiscard]] virtual std::string readOnlyReason() const = 0;
  /// Throws Fault Internal, saying why, when the store is read-only.
  virtual void requireWritable() const = 0;
};

/// A store in `folder`: content/ab/cd/<id>, staging/. Creates the folders (mode 0700). `makeId` gives object ids.
[[nodiscard]] std::unique_ptr<ContentStore> openFileStore(const std::string &folder,
                                                          std::function<std::string()> makeId);

/// A spool file in `folder`/staging (unlinked while open, so nothing can leak). It is a sink, and reopen() gives what
/// was written, from `offset` on.
class SpooledFile : public Sink {
public:
  /// Throws Fault Internal when less than `offset` bytes were written.
  [[nodiscard]] virtual std::unique_ptr<Source> reopen(std::uint64_t offset = 0) = 0;
};
[[nodiscard]] std::unique_ptr<SpooledFile> spoolFile(const std::string &folder);

} // namespace waybill::storage
