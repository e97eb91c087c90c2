// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/arguments.hpp"

#include "algorithm_files.hpp"
#include "domain/fault.hpp"
#include "services/algorithms/algorithm_file.hpp"
#include "services/algorithms/parameter_value.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace waybill;
using services::Algorithm;
using services::InputPaths;
using services::ParameterValues;

const auto *const everything = R"(version = "1"
title = "T"
command = ["tool", "{parameter.mode}", { if = "verbose", then = ["-v"] }, { if = "count", then = ["-n", "{parameter.count}"] },
           "--ratio={parameter.ratio}", { if = "label", then = ["-l", "{{{parameter.label}}}"] }, "-o{output.result}",
           "{output.picture}", { if = "extra", then = ["--extra", "{input.extra}"] }, "--", "{input.pages}", "{input.text}"]
[inputs.text]
content_types = ["text/*", "application/JSON"]
file = "text.txt"
[inputs.pages]
many = true
file = "page.png"
[inputs.extra]
required = false
many = true
[outputs.result]
[outputs.picture]
content_type = "image/{parameter.mode}"
file = "picture.img"
[parameters.mode]
type = "enumeration"
values = ["png", "svg+xml"]
required = true
[parameters.verbose]
type = "boolean"
[parameters.count]
type = "integer"
minimum = 1
maximum = 100
[parameters.ratio]
type = "decimal"
default = 0.5
maximum = 1
[parameters.label]
type = "string"
max_length = 8
)";

class ArgumentsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ArgumentsTest);
  CPPUNIT_TEST(valuesWithDefaults);
  CPPUNIT_TEST(unknownParameterIsRefused);
  CPPUNIT_TEST(parameterGivenTwiceIsRefused);
  CPPUNIT_TEST(missingParameterIsRefused);
  CPPUNIT_TEST(integers);
  CPPUNIT_TEST(integersWithoutARange);
  CPPUNIT_TEST(decimals);
  CPPUNIT_TEST(decimalsAreExact);
  CPPUNIT_TEST(booleans);
  CPPUNIT_TEST(enumerations);
  CPPUNIT_TEST(strings);
  CPPUNIT_TEST(patterns);
  CPPUNIT_TEST(patternThatWouldTakeForEver);
  CPPUNIT_TEST(longValueAndPattern);
  CPPUNIT_TEST(inputsAreChecked);
  CPPUNIT_TEST(outputsAreChecked);
  CPPUNIT_TEST(contentTypes);
  CPPUNIT_TEST(filesInTheSandbox);
  CPPUNIT_TEST(commandWithLittle);
  CPPUNIT_TEST(commandWithAll);
  CPPUNIT_TEST(falseIsNoCondition);
  CPPUNIT_TEST(shellTextStaysOneArgument);
  CPPUNIT_TEST(valuesAreNotExpandedAgain);
  CPPUNIT_TEST(contentTypeOfAnOutput);
  CPPUNIT_TEST_SUITE_END();

public:
  void setUp() override { algorithm_ = services::loadAlgorithm(files_.write("test/all.toml", everything), "test/all"); }

  void valuesWithDefaults() {
    CPPUNIT_ASSERT((ParameterValues{{"mode", "png"}, {"ratio", "0.5"}} == checked({{"mode", "png"}})));
    CPPUNIT_ASSERT((ParameterValues{{"mode", "png"}, {"ratio", "0.25"}, {"verbose", "true"}} ==
                    checked({{"ratio", " +00.250 "}, {"verbose", "1"}, {"mode", "png"}})));
  }

  void unknownParameterIsRefused() {
    refused({{"mode", "png"}, {"speed", "3"}}, "speed", "test/all has no parameter 'speed'");
    refused({{"mode", "png"}, {"Count", "3"}}, "Count", "'mode' (required), 'verbose', 'count', 'ratio', 'label'");
    refused({{"", "3"}}, "", "has no parameter ''");
  }

  void parameterGivenTwiceIsRefused() {
    refused({{"mode", "png"}, {"count", "3"}, {"count", "3"}}, "count", "'count' is given twice");
  }

  void missingParameterIsRefused() {
    refused({{"count", "3"}}, "mode", "'mode' is missing; it has to be one of 'png', 'svg+xml'");
  }

  void integers() {
    const auto count = [&](const std::string &value) {
      return checked({{"mode", "png"}, {"count", value}}).at("count");
    };
    CPPUNIT_ASSERT_EQUAL(std::string("7"), count("7"));
    CPPUNIT_ASSERT_EQUAL(std::string("7"), count(" +007\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("100"), count("100"));
    for (const std::string bad : {"0", "101", "-5", "99999999999999999999999", "1.0", "1.", "1e1", "0x10", "", " ", "+",
                                  "1 2", "seven", "1,5", "--7", "NaN"}) {
      refused({{"mode", "png"}, {"count", bad}}, "count",
              "'count' is '" + bad + "'; it has to be a whole number from 1 to 100");
    }
    refused({{"mode", "png"}, {"count", std::string("7\0", 2)}}, "count", "control characters");
  }

  void integersWithoutARange() {
    ParameterDeclaration any;
    any.name = "any";
    any.type = ParameterType::Integer;
    for (const std::string value : {"-9223372036854775808", "9223372036854775807", "0"}) {
      CPPUNIT_ASSERT_EQUAL(value, services::checkedValue(any, value));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("0"), services::checkedValue(any, "-000"));
    CPPUNIT_ASSERT(!fits(any, "9223372036854775808"));
    CPPUNIT_ASSERT(!fits(any, "-9223372036854775809"));
  }

  void decimals() {
    ParameterDeclaration any;
    any.name = "any";
    any.type = ParameterType::Decimal;
    const std::vector<std::pair<std::string, std::string>> good{
        {"1.0", "1"},   {"-.5", "-0.5"},
        {"5.", "5"},    {"+1.250", "1.25"},
        {"-0.00", "0"}, {"00012.0", "12"},
        {"\t3 ", "3"},  {"123456789012345678901234567890.123", "123456789012345678901234567890.123"}};
    for (const auto &[given, kept] : good) {
      CPPUNIT_ASSERT_EQUAL(kept, services::checkedValue(any, given));
    }
    for (const std::string bad : {"", ".", "-", "1e5", "INF", "NaN", "1.2.3", "1,5", "- 1", "1-"}) {
      CPPUNIT_ASSERT_MESSAGE(bad, !fits(any, bad));
    }
    CPPUNIT_ASSERT(!fits(any, std::string(41, '1')));
    refused({{"mode", "png"}, {"ratio", "1.01"}}, "ratio",
            "'ratio' is '1.01'; it has to be a decimal number of 1 or less");
  }

  void decimalsAreExact() {
    ParameterDeclaration narrow;
    narrow.name = "narrow";
    narrow.type = ParameterType::Decimal;
    narrow.minimum = "-0.1";
    narrow.maximum = "9007199254740993";
    CPPUNIT_ASSERT_EQUAL(std::string("9007199254740993"), services::checkedValue(narrow, "9007199254740993"));
    CPPUNIT_ASSERT_EQUAL(std::string("-0.1"), services::checkedValue(narrow, "-0.10"));
    for (const std::string bad : {"9007199254740993.0000000001", "9007199254740994", "-0.10000000000000000001", "-0.11",
                                  "-1", "10000000000000000"}) {
      CPPUNIT_ASSERT_MESSAGE(bad, !fits(narrow, bad));
    }
    for (const std::string good : {"-0.09", "0", "0.5", "10", "9", "9007199254740992.9"}) {
      CPPUNIT_ASSERT_EQUAL(good, services::checkedValue(narrow, good));
    }
  }

  void booleans() {
    const auto verbose = [&](const std::string &value) {
      return checked({{"mode", "png"}, {"verbose", value}}).at("verbose");
    };
    CPPUNIT_ASSERT_EQUAL(std::string("true"), verbose("true"));
    CPPUNIT_ASSERT_EQUAL(std::string("true"), verbose(" 1 "));
    CPPUNIT_ASSERT_EQUAL(std::string("false"), verbose("false"));
    CPPUNIT_ASSERT_EQUAL(std::string("false"), verbose("0"));
    for (const std::string bad : {"yes", "True", "TRUE", "", "2", "on"}) {
      refused({{"mode", "png"}, {"verbose", bad}}, "verbose", "it has to be true or false");
    }
  }

  void enumerations() {
    CPPUNIT_ASSERT_EQUAL(std::string("svg+xml"), checked({{"mode", "svg+xml"}}).at("mode"));
    for (const std::string bad : {"", "PNG", "png ", "jpeg"}) {
      refused({{"mode", bad}}, "mode", "'mode' is '" + bad + "'; it has to be one of 'png', 'svg+xml'");
    }
  }

  void strings() {
    const auto label = [&](const std::string &value) {
      return checked({{"mode", "png"}, {"label", value}}).at("label");
    };
    CPPUNIT_ASSERT_EQUAL(std::string(""), label(""));
    CPPUNIT_ASSERT_EQUAL(std::string(" a b "), label(" a b "));
    CPPUNIT_ASSERT_EQUAL(std::string("\u00e4\u00f6\u00fc\u00df"), label("\u00e4\u00f6\u00fc\u00df"));
    refused({{"mode", "png"}, {"label", "123456789"}}, "label",
            "'123456789' of 9 bytes; it has to be text of at most 8 bytes");
    refused({{"mode", "png"}, {"label", "\u00e4\u00f6\u00fc\u00dfa"}}, "label", "of 9 bytes");
    for (const auto &bad : {std::string("a\0b", 3), std::string("a\nb"), std::string("\x1b[1m"), std::string("\x7f")}) {
      refused({{"mode", "png"}, {"label", bad}}, "label", "which has control characters");
    }
    refused({{"mode", "png"}, {"label", "\xff"}}, "label", "which is no UTF-8");
  }

  void patterns() {
    auto pattern = text("[a-z]+(-[0-9]{2})?", 20);
    CPPUNIT_ASSERT_EQUAL(std::string("abc-12"), services::checkedValue(pattern, "abc-12"));
    for (const std::string bad : {"", "abc-1", "abc-12x", "xABC", " abc"}) {
      CPPUNIT_ASSERT_MESSAGE(bad, !fits(pattern, bad));
    }
  }

  void patternThatWouldTakeForEver() {
    const auto pattern = text("(a+)+b", 1000);
    CPPUNIT_ASSERT(!fits(pattern, std::string(1000, 'a')));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1000}, services::checkedValue(pattern, std::string(999, 'a') + "b").size());
  }

  void longValueAndPattern() {
    const auto pattern = text("(a|b|.)*", services::longestMatched);
    const std::string value(services::longestMatched, 'c');
    CPPUNIT_ASSERT_EQUAL(value, services::checkedValue(pattern, value));
  }

  void inputsAreChecked() {
    const auto check = [&](const std::vector<std::string> &names) {
      services::checkInputs(algorithm_.description, data(names));
    };
    const auto bad = [&](const std::vector<std::string> &names, const std::string &subject, const std::string &what) {
      expect([&] { check(names); }, subject, what);
    };
    check({"text", "pages"});
    check({"pages", "text", "pages", "extra", "extra"});
    std::vector<std::string> many(1000, "pages");
    many.front() = "text";
    check(many);
    many.emplace_back("pages");
    bad(many, "Input", "can be given 1000 inputs, not 1001");
    bad({"text", "pages", "picture"}, "picture", "test/all has no input 'picture'");
    bad({"text"}, "pages", "the input 'pages' is missing");
    bad({}, "text", "the inputs of test/all: 'text' (required), 'pages' (one or more), 'extra' (any number)");
    bad({"text", "pages", "text"}, "text", "the input 'text' is given more than once");
    bad({"text", "pages", "text\n"}, "text\n", "'text\\x0a'");
  }

  void outputsAreChecked() {
    const auto check = [&](const std::vector<std::string> &names) {
      services::checkOutputs(algorithm_.description, data(names));
    };
    check({});
    check({"picture", "result"});
    expect([&] { check({"text"}); }, "text", "no output 'text'; the outputs of test/all: 'result', 'picture'");
    expect([&] { check({"result", "result"}); }, "result", "named twice");
  }

  void contentTypes() {
    const auto &input = *services::declared(algorithm_.description.inputs, "text");
    for (const auto *good :
         {"text/plain", "TEXT/CSV", "text/plain; charset=utf-8", "application/json", "Application/Json"}) {
      CPPUNIT_ASSERT_MESSAGE(good, services::accepts(input, good));
    }
    for (const auto *bad :
         {"image/png", "application/xml", "textual/x", "text", "", "*/*", "x/text/plain", "application/*"}) {
      CPPUNIT_ASSERT_MESSAGE(bad, !services::accepts(input, bad));
    }
    const auto &any = *services::declared(algorithm_.description.inputs, "pages");
    CPPUNIT_ASSERT(services::accepts(any, "") && services::accepts(any, "image/png"));
    const InputDeclaration bytes{"b", "", {"application/octet-stream"}, true, false};
    CPPUNIT_ASSERT(services::accepts(bytes, ""));
    const InputDeclaration all{"b", "", {"*/*"}, true, false};
    CPPUNIT_ASSERT(services::accepts(all, "image/png"));
  }

  void filesInTheSandbox() {
    const auto file = [&](const char *input, std::size_t number) {
      return services::inputFile(algorithm_, *services::declared(algorithm_.description.inputs, input), number);
    };
    CPPUNIT_ASSERT_EQUAL(std::string("text.txt"), file("text", 1));
    CPPUNIT_ASSERT_EQUAL(std::string("pages/2-page.png"), file("pages", 2));
    CPPUNIT_ASSERT_EQUAL(std::string("extra/10"), file("extra", 10));
    CPPUNIT_ASSERT_EQUAL(std::string("result"), services::outputFile(algorithm_, "result"));
    CPPUNIT_ASSERT_EQUAL(std::string("picture.img"), services::outputFile(algorithm_, "picture"));
  }

  void commandWithLittle() {
    expands({{"mode", "png"}}, {{"text", {"/in/text.txt"}}, {"pages", {"/in/pages/1-page.png"}}},
            {"tool", "png", "--ratio=0.5", "-o/out/result", "/out/picture.img", "--", "/in/pages/1-page.png",
             "/in/text.txt"});
  }

  void commandWithAll() {
    expands({{"mode", "png"}, {"verbose", "true"}, {"count", "3"}, {"ratio", "1"}, {"label", "x"}},
            {{"text", {"/in/text.txt"}},
             {"pages", {"/in/pages/1", "/in/pages/2"}},
             {"extra", {"/in/extra/1", "/in/extra/2"}}},
            {"tool", "png", "-v", "-n", "3", "--ratio=1", "-l", "{x}", "-o/out/result", "/out/picture.img", "--extra",
             "/in/extra/1", "/in/extra/2", "--", "/in/pages/1", "/in/pages/2", "/in/text.txt"});
  }

  void falseIsNoCondition() {
    expands({{"mode", "png"}, {"verbose", "false"}, {"label", ""}},
            {{"text", {"/t"}}, {"pages", {"/p"}}, {"extra", {}}},
            {"tool", "png", "--ratio=0.5", "-l", "{}", "-o/out/result", "/out/picture.img", "--", "/p", "/t"});
  }

  void shellTextStaysOneArgument() {
    const auto arguments = expanded({{"mode", "png"}, {"label", "$(a) '\""}}, {{"text", {"/t"}}, {"pages", {"/p"}}});
    CPPUNIT_ASSERT_EQUAL(std::string("{$(a) '\"}"), arguments.at(4));
  }

  void valuesAreNotExpandedAgain() {
    algorithm_.command = {{"", {"tool", "{parameter.label}"}}};
    const auto arguments = services::expandedCommand(algorithm_, {{"label", "{input.text}"}}, {});
    CPPUNIT_ASSERT_EQUAL(std::string("{input.text}"), arguments.at(1));
  }

  void contentTypeOfAnOutput() {
    const auto &outputs = algorithm_.description.outputs;
    CPPUNIT_ASSERT_EQUAL(std::string("application/octet-stream"), services::outputContentType(outputs.at(0), {}));
    CPPUNIT_ASSERT_EQUAL(std::string("image/svg+xml"),
                         services::outputContentType(outputs.at(1), {{"mode", "svg+xml"}}));
  }

private:
  [[nodiscard]] ParameterValues checked(const std::vector<NamedValue> &given) const {
    return services::checkedParameters(algorithm_.description, given);
  }

  template <class Call> static void expect(const Call &call, const std::string &subject, const std::string &what) {
    try {
      call();
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT(fault.code() == FaultCode::BadParameter);
      CPPUNIT_ASSERT_EQUAL(subject, fault.subject());
      CPPUNIT_ASSERT_MESSAGE(fault.reason(), fault.reason().find(what) != std::string::npos);
      return;
    }
    CPPUNIT_FAIL("accepted, and should have said: " + what);
  }

  void refused(const std::vector<NamedValue> &given, const std::string &subject, const std::string &what) const {
    expect([&] { static_cast<void>(checked(given)); }, subject, what);
  }

  static bool fits(const ParameterDeclaration &declaration, const std::string &value) {
    try {
      static_cast<void>(services::checkedValue(declaration, value));
      return true;
    } catch (const Fault &) {
      return false;
    }
  }

  static std::vector<NamedData> data(const std::vector<std::string> &names) {
    std::vector<NamedData> all;
    for (const auto &name : names) {
      all.push_back({name, {}});
    }
    return all;
  }

  static ParameterDeclaration text(const std::string &pattern, std::uint64_t length) {
    ParameterDeclaration declaration;
    declaration.name = "text";
    declaration.pattern = pattern;
    declaration.maxLength = length;
    return declaration;
  }

  [[nodiscard]] std::vector<std::string> expanded(const std::vector<NamedValue> &given,
                                                  const InputPaths &inputs) const {
    return services::expandedCommand(algorithm_, checked(given), inputs);
  }

  void expands(const std::vector<NamedValue> &given, const InputPaths &inputs,
               const std::vector<std::string> &arguments) const {
    std::string shown;
    for (const auto &argument : expanded(given, inputs)) {
      shown += "[" + argument + "]";
    }
    std::string wanted;
    for (const auto &argument : arguments) {
      wanted += "[" + argument + "]";
    }
    CPPUNIT_ASSERT_EQUAL(wanted, shown);
  }

  test::AlgorithmFiles files_;
  Algorithm algorithm_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ArgumentsTest);

} // namespace
