// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "lab.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <filesystem>
#include <string>

namespace waybill::test {

/// A Lab, and short ways to ask it for things as alice.
class DataFixture : public CppUnit::TestFixture {
protected:
  explicit DataFixture(services::Config config = {}) : lab(std::move(config)) {}

  static bool has(const RecordedResponse &response, const std::string &text) {
    return response.body.find(text) != std::string::npos;
  }
  static void assertSuccess(const RecordedResponse &response) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(response.body, 200, response.status);
  }
  static void assertFault(const RecordedResponse &response, const std::string &code, const std::string &mentions = {}) {
    CPPUNIT_ASSERT_MESSAGE(response.body, response.status == 500 || response.status == 400);
    CPPUNIT_ASSERT_MESSAGE("expected " + code + " in " + response.body, has(response, code));
    CPPUNIT_ASSERT_MESSAGE("expected " + mentions + " in " + response.body, has(response, mentions));
  }
  static std::string dataAt(const std::string &path, const std::string &more = {}) {
    return "<wb:Data><wb:Path>" + path + "</wb:Path>" + more + "</wb:Data>";
  }
  static std::string inlineAt(const std::string &path, const std::string &fields = {}) {
    return dataAt(path, fields + "<wb:Content>aGVsbG8=</wb:Content>"); // "hello"
  }
  static std::string part(const std::string &headers, const std::string &body) {
    return "--b\r\n" + headers + "\r\n\r\n" + body + "\r\n";
  }

  RecordedResponse ask(const std::string &operation, const std::string &body) {
    return lab.post("data", Lab::envelope("<wb:" + operation + ">" + body + "</wb:" + operation + ">",
                                          lab.token(lab.alice, operation)));
  }
  RecordedResponse copy(const std::string &data, const std::string &how) {
    return ask("Copy", data + "<wb:Attach>" + how + "</wb:Attach>");
  }
  RecordedResponse receive(const std::string &data, const std::string &overwrite = "Never") {
    return ask("Receive", data + "<wb:Overwrite>" + overwrite + "</wb:Overwrite>");
  }

  /// A call by `party` that needs no message around it.
  services::Call call(const std::string &operation, const Party &party) {
    services::Call made;
    made.operation = operation;
    made.baseUrl = "https://lab.test:8443";
    made.principal = {party.key.id(), std::nullopt};
    return made;
  }

  storage::ObjectRow rowAt(const std::string &path) {
    const auto row = lab.catalog->objectAt(path);
    CPPUNIT_ASSERT_MESSAGE(path, row.has_value());
    return *row;
  }
  std::string contentOf(const std::string &path) { return readAll(*lab.store->open(rowAt(path).id), 1U << 20U, path); }
  std::size_t filesIn(const std::string &folder) {
    const std::filesystem::recursive_directory_iterator all(lab.home.path() + "/" + folder);
    return static_cast<std::size_t>(
        std::count_if(begin(all), end(all), [](const auto &entry) { return entry.is_regular_file(); }));
  }

  Lab lab;
};

} // namespace waybill::test
