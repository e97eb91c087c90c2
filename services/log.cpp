// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/log.hpp"

#include "domain/fault.hpp"
#include "domain/text.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>

namespace waybill::services {

namespace {

using Json = nlohmann::ordered_json;

std::string line(const Json &object) {
  // Peers choose some of the text: what is not UTF-8 becomes U+FFFD instead of an exception.
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace

struct Log::State {
  SystemClock clock;
  std::shared_ptr<spdlog::logger> logger;

  void write(spdlog::level::level_enum level, std::string_view event, Fields fields) const {
    if (!logger->should_log(level)) {
      return;
    }
    Json object{
        {"time", formatUtc(clock.now())}, {"level", spdlog::level::to_string_view(level).data()}, {"event", event}};
    for (const auto &[name, value] : fields) {
      if (const auto *const text = std::get_if<std::string_view>(&value); text == nullptr || !text->empty()) {
        std::visit([&, key = std::string(name)](const auto &shown) { object[key] = shown; }, value);
      }
    }
    logger->log(level, spdlog::string_view_t(line(object)));
  }
};

Log::Log(std::string_view level) : state_(std::make_unique<State>()) {
  state_->logger = std::make_shared<spdlog::logger>("waybill", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  state_->logger->set_pattern("%v");
  state_->logger->set_level(spdlog::level::from_str(std::string(level)));
  state_->logger->flush_on(spdlog::level::debug);
}

Log::~Log() = default;

void Log::debug(std::string_view event, Fields fields) const { state_->write(spdlog::level::debug, event, fields); }
void Log::info(std::string_view event, Fields fields) const { state_->write(spdlog::level::info, event, fields); }
void Log::warning(std::string_view event, Fields fields) const { state_->write(spdlog::level::warn, event, fields); }
void Log::error(std::string_view event, Fields fields) const { state_->write(spdlog::level::err, event, fields); }

struct Audit::State {
  std::string file;
  std::function<void(const std::string &)> onLoss;
  SystemClock clock;
  std::mutex mutex; ///< guards what follows
  int descriptor = -1;
  bool cutLine = false; ///< the last line is not whole
  std::string trouble;  ///< why the last line could not be written; empty: it was
  std::size_t lost = 0; ///< lines that the file does not know of

  int openFile() const {
    const int opened = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (opened < 0) {
      throw Fault(FaultCode::Internal,
                  std::string("opening the audit log failed: ") + std::strerror(errno) +
                      "; make it writable, or set log.audit_file",
                  file);
    }
    return opened;
  }

  /// True when the whole line is in the file.
  bool append(const Json &object) {
    const auto text = (cutLine ? "\n" : "") + line(object) + "\n";
    const auto written = ::write(descriptor, text.data(), text.size());
    const auto whole = written == static_cast<ssize_t>(text.size());
    trouble = whole ? std::string()
                    : "appending to the audit log " + file +
                          " failed: " + (written < 0 ? std::strerror(errno) : "the disk is full");
    cutLine = written > 0 ? !whole : cutLine;
    return whole;
  }

  /// Says how many lines are missing, where some are, before another follows.
  bool closeGap() {
    if (lost != 0 &&
        append({{"time", formatUtc(clock.now())}, {"operation", "Audit"}, {"outcome", "LinesLost"}, {"lines", lost}})) {
      lost = 0;
    }
    return lost == 0;
  }
};

Audit::Audit(const std::string &file, std::function<void(const std::string &)> onLoss)
    : state_(std::make_unique<State>()) {
  state_->file = file;
  state_->onLoss = std::move(onLoss);
  state_->descriptor = state_->openFile();
}

Audit::~Audit() { ::close(state_->descriptor); }

void Audit::reopen() {
  const int opened = state_->openFile();
  const std::lock_guard lock(state_->mutex);
  ::close(state_->descriptor);
  state_->descriptor = opened;
}

void Audit::write(const AuditRecord &record) noexcept {
  std::string why;
  try {
    Json object{{"time", formatUtc(record.time)},
                {"operation", record.operation},
                {"principal", record.principal},
                {"outcome", record.outcome},
                {"token", record.tokenId},
                {"message_id", record.messageId},
                {"remote", record.remote},
                {"subjects", record.subjects},
                {"bytes_in", record.bytesIn},
                {"bytes_out", record.bytesOut},
                {"microseconds", record.took.count()}};
    if (!record.reason.empty()) {
      object["reason"] = record.reason;
    }
    if (!record.undelivered.empty()) {
      object["undelivered"] = record.undelivered;
    }
    const std::lock_guard lock(state_->mutex);
    if (state_->closeGap() && state_->append(object)) {
      return;
    }
    ++state_->lost;
    why = state_->trouble;
  } catch (const std::exception &error) {
    why = error.what();
  }
  if (state_->onLoss) {
    state_->onLoss(why);
  }
}

std::string Audit::trouble() {
  const std::lock_guard lock(state_->mutex);
  (void)state_->closeGap();
  return state_->trouble;
}

} // namespace waybill::services
