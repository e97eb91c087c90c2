// SPDX-License-Identifier: GPL-3.0-or-later
#include "services/algorithms/algorithm_file.hpp"

#include "algorithm_files.hpp"
#include "domain/fault.hpp"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sys/stat.h>

namespace {

using namespace waybill;
using services::Algorithm;

/// Three lines that every file needs; what a test adds begins in line 4.
const std::string start = "version = '1'\ntitle = 'T'\ncommand = ['true']\n";

/// The same with `arguments` after the program, in line 3.
std::string commanding(const std::string &arguments, const std::string &rest = "") {
  return "version = '1'\ntitle = 'T'\ncommand = ['true', " + arguments + "]\n" + rest;
}

class AlgorithmFileTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AlgorithmFileTest);
  CPPUNIT_TEST(everyKeyIsRead);
  CPPUNIT_TEST(defaultsOfTheFormat);
  CPPUNIT_TEST(declarationsKeepTheirOrder);
  CPPUNIT_TEST(idFromTheFileOrFromTheKey);
  CPPUNIT_TEST(numbersAreKeptCanonical);
  CPPUNIT_TEST(missingFileIsRefused);
  CPPUNIT_TEST(whatIsNoFileIsRefused);
  CPPUNIT_TEST(hugeFileIsRefused);
  CPPUNIT_TEST(brokenTomlIsRefused);
  CPPUNIT_TEST(keyGivenTwiceIsRefused);
  CPPUNIT_TEST(unknownKeysAreRefused);
  CPPUNIT_TEST(missingKeysAreRefused);
  CPPUNIT_TEST(wrongTypesAreRefused);
  CPPUNIT_TEST(badIdsAreRefused);
  CPPUNIT_TEST(badNamesAreRefused);
  CPPUNIT_TEST(controlCharactersAreRefused);
  CPPUNIT_TEST(contentTypesOfInputs);
  CPPUNIT_TEST(contentTypesOfOutputs);
  CPPUNIT_TEST(unsafeFileNamesAreRefused);
  CPPUNIT_TEST(sameFileNameTwiceIsRefused);
  CPPUNIT_TEST(nameOfAnInputAndAParameterIsRefused);
  CPPUNIT_TEST(typesOfParameters);
  CPPUNIT_TEST(keysOfAnotherTypeAreRefused);
  CPPUNIT_TEST(rangesAreChecked);
  CPPUNIT_TEST(lengthsAndPatternsAreChecked);
  CPPUNIT_TEST(valuesOfEnumerationsAreChecked);
  CPPUNIT_TEST(defaultsThatDoNotFitAreRefused);
  CPPUNIT_TEST(defaultOfSomethingRequiredIsRefused);
  CPPUNIT_TEST(unusedParameterIsRefused);
  CPPUNIT_TEST(placeholdersThatNameNothingAreRefused);
  CPPUNIT_TEST(placeholdersThatCannotBeReadAreRefused);
  CPPUNIT_TEST(optionalThingsNeedTheirCondition);
  CPPUNIT_TEST(manyInputsStandAlone);
  CPPUNIT_TEST(badConditionsAreRefused);
  CPPUNIT_TEST(badCommandsAreRefused);
  CPPUNIT_TEST(programOfTheCallersChoiceIsRefused);
  CPPUNIT_TEST(standardStreamsAreChecked);
  CPPUNIT_TEST(limitsAreChecked);
  CPPUNIT_TEST(environmentIsChecked);
  CPPUNIT_TEST(wholeFilesOfTheGuideAreAlgorithms);
  CPPUNIT_TEST(examplesAreAlgorithms);
  CPPUNIT_TEST_SUITE_END();

public:
  void setUp() override { files_.emplace(); }
  void tearDown() override { files_.reset(); }

  void everyKeyIsRead() {
    const auto algorithm = load(R"(version = "1.0"
title = "Sort lines"
help = """
Two
lines
"""
command = ["sort", { if = "reverse", then = ["--reverse"] }, { if = "field", then = ["--key", "{parameter.field}"] },
           "--output", "{output.sorted}", "--", "{input.text}"]
standard_input = "text"
standard_output = "sorted"
[inputs.text]
help = "what is sorted"
content_types = ["text/*", "application/json"]
required = true
many = false
file = "text.txt"
[inputs.more]
required = false
many = true
[outputs.sorted]
help = "the result"
content_type = "text/plain"
required = false
file = "sorted.txt"
[parameters.field]
type = "integer"
help = "by which"
minimum = 1
maximum = 100
[parameters.reverse]
type = "boolean"
default = false
[limits]
cpu_seconds = 6
wall_seconds = 30
memory = "256 MiB"
processes = 3
output = "2 GiB"
[environment]
LC_ALL = "C.UTF-8"
)");
    const auto &description = algorithm.description;
    CPPUNIT_ASSERT_EQUAL(std::string("text/sort"), description.id);
    CPPUNIT_ASSERT_EQUAL(std::string("1.0"), description.version);
    CPPUNIT_ASSERT_EQUAL(std::string("Sort lines"), description.title);
    CPPUNIT_ASSERT_EQUAL(std::string("Two\nlines"), description.help);
    const std::vector<InputDeclaration> inputs{{"text", "what is sorted", {"text/*", "application/json"}, true, false},
                                               {"more", "", {}, false, true}};
    CPPUNIT_ASSERT(inputs == description.inputs);
    const std::vector<OutputDeclaration> outputs{{"sorted", "the result", "text/plain", false}};
    CPPUNIT_ASSERT(outputs == description.outputs);
    ParameterDeclaration field;
    field.name = "field";
    field.help = "by which";
    field.type = ParameterType::Integer;
    field.minimum = "1";
    field.maximum = "100";
    ParameterDeclaration reverse;
    reverse.name = "reverse";
    reverse.type = ParameterType::Boolean;
    reverse.byDefault = "false";
    CPPUNIT_ASSERT((std::vector{field, reverse} == description.parameters));
    const AlgorithmLimits limits{std::chrono::seconds(6), std::chrono::seconds(30), 256ULL << 20U, 3, 2ULL << 30U};
    CPPUNIT_ASSERT(limits == description.limits);
    const std::vector<Algorithm::Argument> command{
        {"", {"sort"}},        {"reverse", {"--reverse"}}, {"field", {"--key", "{parameter.field}"}},
        {"", {"--output"}},    {"", {"{output.sorted}"}},  {"", {"--"}},
        {"", {"{input.text}"}}};
    CPPUNIT_ASSERT(command == algorithm.command);
    CPPUNIT_ASSERT_EQUAL(std::string("C.UTF-8"), algorithm.environment.at("LC_ALL"));
    CPPUNIT_ASSERT_EQUAL(std::string("text"), algorithm.standardInput.value());
    CPPUNIT_ASSERT_EQUAL(std::string("sorted"), algorithm.standardOutput.value());
    CPPUNIT_ASSERT_EQUAL(std::string("sorted.txt"), algorithm.outputFiles.at("sorted"));
    CPPUNIT_ASSERT_EQUAL(std::string("text.txt"), algorithm.inputFiles.at("text"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, algorithm.inputFiles.size());
  }

  void defaultsOfTheFormat() {
    const auto algorithm = load(commanding("'{parameter.p}'", "[inputs.i]\n[outputs.o]\n[parameters.p]\n"
                                                              "type = 'string'\nrequired = true\n"));
    CPPUNIT_ASSERT(algorithm.description.inputs.at(0) == (InputDeclaration{"i", "", {}, true, false}));
    CPPUNIT_ASSERT(algorithm.description.outputs.at(0) ==
                   (OutputDeclaration{"o", "", "application/octet-stream", true}));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1000}, algorithm.description.parameters.at(0).maxLength.value());
    CPPUNIT_ASSERT(algorithm.description.limits == AlgorithmLimits{});
    CPPUNIT_ASSERT(algorithm.environment.empty() && !algorithm.standardInput && !algorithm.standardOutput);
  }

  void declarationsKeepTheirOrder() {
    const auto algorithm = load(start + "[outputs.z]\n[inputs.b]\n[inputs.c]\n[outputs.y]\n[inputs.a]\n");
    CPPUNIT_ASSERT_EQUAL(std::string("b"), algorithm.description.inputs.at(0).name);
    CPPUNIT_ASSERT_EQUAL(std::string("c"), algorithm.description.inputs.at(1).name);
    CPPUNIT_ASSERT_EQUAL(std::string("a"), algorithm.description.inputs.at(2).name);
    CPPUNIT_ASSERT_EQUAL(std::string("z"), algorithm.description.outputs.at(0).name);
  }

  void idFromTheFileOrFromTheKey() {
    CPPUNIT_ASSERT_EQUAL(std::string("text/sort"), load(start).description.id);
    CPPUNIT_ASSERT_EQUAL(std::string("other/one"), load("id = 'other/one'\n" + start).description.id);
    CPPUNIT_ASSERT_EQUAL(
        std::string("good"),
        services::loadAlgorithm(files_->write("a.toml", "id = 'good'\n" + start), "not good").description.id);
  }

  void numbersAreKeptCanonical() {
    const auto decimal = [&](const std::string &keys) {
      return load(commanding("'{parameter.p}'", "[parameters.p]\ntype = 'decimal'\n" + keys))
          .description.parameters.at(0);
    };
    const auto small = decimal("default = 1e-3\nminimum = -0.50\nmaximum = 1_000");
    CPPUNIT_ASSERT_EQUAL(std::string("0.001"), small.byDefault.value());
    CPPUNIT_ASSERT_EQUAL(std::string("-0.5"), small.minimum.value());
    CPPUNIT_ASSERT_EQUAL(std::string("1000"), small.maximum.value());
    CPPUNIT_ASSERT_EQUAL(std::string("0.1"), decimal("default = 0.1").byDefault.value());
  }

  void missingFileIsRefused() {
    try {
      static_cast<void>(services::loadAlgorithm(files_->path("none.toml"), "none"));
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT_MESSAGE(fault.reason(), fault.reason().find("none.toml:1: ") != std::string::npos);
      CPPUNIT_ASSERT_MESSAGE(fault.reason(), fault.reason().find("cannot be read") != std::string::npos);
      return;
    }
    CPPUNIT_FAIL("read a file that is not there");
  }

  void whatIsNoFileIsRefused() {
    const auto refusedAs = [this](const std::string &kind) {
      try {
        static_cast<void>(services::loadAlgorithm(files_->path("x.toml"), "x"));
      } catch (const Fault &fault) {
        const auto what = files_->path("x.toml").string() + ":1: this has to be a TOML file, and is " + kind;
        CPPUNIT_ASSERT_MESSAGE(fault.reason(), fault.reason().starts_with(what));
        return;
      }
      CPPUNIT_FAIL("read " + kind);
    };
    CPPUNIT_ASSERT_EQUAL(0, ::mkfifo(files_->path("x.toml").c_str(), 0600)); // opening it would wait
    refusedAs("a FIFO");
    std::filesystem::remove(files_->path("x.toml"));
    std::filesystem::create_directory(files_->path("x.toml"));
    refusedAs("a folder");
    std::filesystem::remove(files_->path("x.toml"));
    std::filesystem::create_symlink("/dev/zero", files_->path("x.toml"));
    refusedAs("a device");
  }

  void hugeFileIsRefused() {
    constexpr std::size_t most = 256 * 1024;
    const auto withComment = [](std::size_t size) { return start + std::string(size - start.size(), '#'); };
    CPPUNIT_ASSERT_EQUAL(std::string("T"), load(withComment(most)).description.title);
    refused(withComment(most + 1), 1, "more than 256 KiB");
  }

  void brokenTomlIsRefused() {
    refused("version = '1'\ntitle = = 'T'\n", 2, "");
    refused(start + "[inputs.a\n", 4, "");
    refused("version = '1'\ntitle = '\xff'\n", 2, "");
  }

  void keyGivenTwiceIsRefused() {
    refused(start + "title = 'U'\n", 4, "title");
    refused(start + "[inputs.a]\n[inputs.b]\n[inputs.a]\n", 6, "inputs.a");
  }

  void unknownKeysAreRefused() {
    refused(start + "titel = 'x'\n", 4, "unknown key 'titel'; what may be there is command, ");
    refused(start + "[input.a]\n", 4, "unknown key 'input'");
    refused(start + "[inputs.a]\ntype = 'text/*'\n", 5, "unknown key 'inputs.a.type'");
    refused(start + "[outputs.a]\nmany = true\n", 5, "unknown key 'outputs.a.many'");
    refused(start + "[parameters.a]\ntype = 'string'\nmin = 3\n", 6, "unknown key 'parameters.a.min'");
    refused(start + "[limits]\nmemory = '1 GiB'\ndisk = '1 GiB'\n", 6, "unknown key 'limits.disk'");
    refused(commanding("{ if = 'a', else = ['b'] }"), 3, "unknown key 'command.else'");
  }

  void missingKeysAreRefused() {
    refused("title = 'T'\ncommand = ['true']\n", 1, "'version' is missing");
    refused("version = '1'\ncommand = ['true']\n", 1, "'title' is missing");
    refused("version = '1'\ntitle = 'T'\n", 1, "'command' is missing");
    refused(start + "[parameters.a]\nhelp = 'x'\n", 4, "'parameters.a.type' is missing");
    refused("", 1, "'version' is missing");
  }

  void wrongTypesAreRefused() {
    refused("version = 1.0\ntitle = 'T'\ncommand = ['true']\n", 1, "'version' needs a text in quotes");
    refused("version = '1'\ntitle = ''\ncommand = ['true']\n", 2, "'title' needs a text of one line");
    refused("version = '1'\ntitle = 'T'\ncommand = 'true'\n", 3, "'command' needs a list");
    refused(start + "help = ['a']\n", 4, "'help' needs a text");
    refused(start + "inputs = 'text'\n", 4, "'inputs' has to be a table");
    refused(start + "[inputs]\ntext = 'a'\n", 5, "'inputs.text' has to be a table");
    refused(start + "[inputs.a]\nrequired = 'yes'\n", 5, "'inputs.a.required' needs true or false");
    refused(start + "[inputs.a]\nmany = 1\n", 5, "'inputs.a.many' needs true or false");
    refused(start + "[inputs.a]\ncontent_types = 'text/*'\n", 5, "'inputs.a.content_types' needs a list");
    refused(start + "[inputs.a]\ncontent_types = [\n'text/*',\n3]\n", 7, "'inputs.a.content_types' needs a text");
    refused(start + "[outputs.a]\ncontent_type = ['text/csv']\n", 5, "'outputs.a.content_type' needs a text");
    refused(start + "limits = 3\n", 4, "'limits' has to be a table");
    refused(start + "environment = 'A=b'\n", 4, "'environment' has to be a table");
  }

  void badIdsAreRefused() {
    refused("id = '../x'\n" + start, 1, "'id' is no id");
    refused("id = 'a//b'\n" + start, 1, "'id' is no id");
    refused("id = '" + std::string(201, 'a') + "'\n" + start, 1, "'id' is no id");
    try {
      static_cast<void>(services::loadAlgorithm(files_->write("a b.toml", start), "a b"));
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT_MESSAGE(fault.reason(),
                             fault.reason().find("a b.toml:1: the file's name gives no id") != std::string::npos);
      return;
    }
    CPPUNIT_FAIL("accepted the name 'a b'");
  }

  void badNamesAreRefused() {
    for (const std::string name : {"'a b'", "'../x'", "'-a'", "''", "'a.b'", "'a/b'", "'{a}'", "'\u00e4'"}) {
      refused(start + "\n[inputs." + name + "]\n", 5, "is no name");
      refused(start + "\n[outputs." + name + "]\n", 5, "is no name");
      refused(start + "\n[parameters." + name + "]\n", 5, "is no name");
    }
    refused(start + "[inputs." + std::string(65, 'a') + "]\n", 4, "is no name");
  }

  void controlCharactersAreRefused() {
    refused("version = '1'\ntitle = \"a\\nb\"\n", 2, "'title' needs a text of one line");
    refused(start + "help = \"a\\u001Bb\"\n", 4, "'help' has control characters");
    refused(start + "help = \"a\\u0000b\"\n", 4, "'help' has a NUL character");
    refused(commanding("\"a\\u0000b\""), 3, "'command' has a NUL character");
    refused(start + "[environment]\nA = \"a\\u0000b\"\n", 5, "'environment.A' has a NUL character");
    CPPUNIT_ASSERT_EQUAL(std::string("a\n\tb"), load(start + "help = \"a\\n\\tb\"\n").description.help);
  }

  void contentTypesOfInputs() {
    for (const std::string type : {"text", "", "/csv", "text/", "text/csv; charset=utf-8", "text /csv", " text/csv"}) {
      refused(start + "[inputs.a]\n\ncontent_types = ['" + type + "']\n", 6, "needs media types");
    }
  }

  void contentTypesOfOutputs() {
    refused(start + "[outputs.a]\ncontent_type = 'text/*'\n", 5, "needs a media type");
    refused(start + "[outputs.a]\ncontent_type = 'text'\n", 5, "needs a media type");
    refused(start + "[outputs.a]\ncontent_type = 'image/{parameter.format}'\n", 5, "'format' is none");
    refused(start + "[outputs.a]\ncontent_type = 'image/{input.i}'\n[inputs.i]\n", 5, "'i' is none");
    refused(start + "[outputs.a]\ncontent_type = 'image/{parameter.f}'\n[parameters.f]\ntype = 'string'\n"
                    "required = true\n",
            5, "'f' is none");
    refused(start + "[outputs.a]\ncontent_type = 'image/{parameter.f}'\n[parameters.f]\ntype = 'enumeration'\n"
                    "values = ['png', 'a b']\nrequired = true\n",
            5, "'f' is none");
    refused(start + "[outputs.a]\ncontent_type = 'image/{parameter.f}'\n[parameters.f]\ntype = 'enumeration'\n"
                    "values = ['png']\n",
            5, "which a call may leave out");
    refused(start + "[outputs.a]\ncontent_type = '{parameter.f}'\n[parameters.f]\ntype = 'enumeration'\n"
                    "values = ['png']\nrequired = true\n",
            5, "needs a media type");
    load(start + "[outputs.a]\ncontent_type = 'image/{parameter.f}'\n[parameters.f]\ntype = 'enumeration'\n"
                 "values = ['png', 'svg+xml']\nrequired = true\n");
  }

  void unsafeFileNamesAreRefused() {
    for (const std::string name : {"../x", "/etc/x", "a/b", ".x", "-x", "a b", "a\u00e4", ".."}) {
      refused(start + "[inputs.a]\nfile = '" + name + "'\n", 5, "'inputs.a.file' is no file name");
      refused(start + "[outputs.a]\nfile = '" + name + "'\n", 5, "'outputs.a.file' is no file name");
    }
    refused(start + "[inputs.a]\nfile = ''\n", 5, "'inputs.a.file' needs a text");
    refused(start + "[inputs.a]\nfile = '" + std::string(101, 'a') + "'\n", 5, "is no file name");
  }

  void sameFileNameTwiceIsRefused() {
    refused(start + "[inputs.a]\nfile = 'x'\n[inputs.b]\nfile = 'x'\n", 7, "gets the file name 'x', which 'a' has");
    refused(start + "[outputs.a]\nfile = 'x'\n[outputs.b]\nfile = 'x'\n", 7, "gets the file name 'x', which 'a' has");
    refused(start + "[inputs.a]\nfile = 'b'\n[inputs.b]\n", 6, "'b' gets the file name 'b', which 'a' has");
    refused(start + "[inputs.a]\nmany = true\nfile = 'x'\n[inputs.b]\nfile = 'a'\n", 8, "gets the file name 'a'");
    load(start + "[inputs.a]\nmany = true\nfile = 'x'\n[inputs.b]\nfile = 'x'\n[outputs.a]\nfile = 'x'\n");
  }

  void nameOfAnInputAndAParameterIsRefused() {
    refused(start + "[inputs.a]\n[parameters.a]\ntype = 'boolean'\n", 5, "'a' is an input already");
  }

  void typesOfParameters() {
    refused(start + "[parameters.a]\ntype = 'float'\n", 5, "\"decimal\"");
    refused(start + "[parameters.a]\ntype = 3\n", 5, "needs a text");
  }

  void keysOfAnotherTypeAreRefused() {
    refused(start + "[parameters.a]\ntype = 'string'\nminimum = 3\n", 6,
            "says nothing for a parameter of the type \"string\"");
    refused(start + "[parameters.a]\ntype = 'boolean'\nmaximum = 3\n", 6, "says nothing");
    refused(start + "[parameters.a]\ntype = 'integer'\nmax_length = 3\n", 6, "says nothing");
    refused(start + "[parameters.a]\ntype = 'enumeration'\nvalues = ['a']\npattern = 'a'\n", 7, "says nothing");
    refused(start + "[parameters.a]\ntype = 'string'\nvalues = ['a']\n", 6, "says nothing");
  }

  void rangesAreChecked() {
    refused(start + "[parameters.a]\ntype = 'integer'\nminimum = 1.5\n", 6,
            "'parameters.a.minimum' needs a whole number");
    refused(start + "[parameters.a]\ntype = 'integer'\nmaximum = '9'\n", 6, "needs a whole number");
    refused(start + "[parameters.a]\ntype = 'decimal'\nmaximum = inf\n", 6, "at most 40 digits");
    refused(start + "[parameters.a]\ntype = 'decimal'\nmaximum = 1e60\n", 6, "at most 40 digits");
    refused(start + "[parameters.a]\ntype = 'integer'\nmaximum = 9\nminimum = 10\n", 6, "is less than 'minimum'");
    refused(start + "[parameters.a]\ntype = 'decimal'\nmaximum = -0.2\nminimum = -0.1\n", 6, "is less than 'minimum'");
  }

  void lengthsAndPatternsAreChecked() {
    refused(start + "[parameters.a]\ntype = 'string'\nmax_length = 0\n", 6, "from 1 to 100000");
    refused(start + "[parameters.a]\ntype = 'string'\nmax_length = 100001\n", 6, "from 1 to 100000");
    refused(start + "[parameters.a]\ntype = 'string'\npattern = 'a'\nmax_length = 10001\n", 7, "from 1 to 10000");
    refused(start + "[parameters.a]\ntype = 'string'\npattern = '(a'\n", 6, "'parameters.a.pattern' is no ECMAScript");
    refused(start + "[parameters.a]\ntype = 'string'\npattern = '(a)\\1'\n", 6, "without back-references");
  }

  void valuesOfEnumerationsAreChecked() {
    for (const std::string values : {"[]", "['']", "['a', 'b', 'a']"}) {
      refused(start + "[parameters.a]\ntype = 'enumeration'\nvalues = " + values + "\n", 6, "which are not empty");
    }
    refused(start + "[parameters.a]\ntype = 'enumeration'\n", 4, "'parameters.a.values' needs a list");
    refused(start + "[parameters.a]\ntype = 'enumeration'\nvalues = [1]\n", 6, "needs a text");
    refused(start + "[parameters.a]\ntype = 'enumeration'\nvalues = [\"a\\u0007\"]\n", 6, "control characters");
  }

  void defaultsThatDoNotFitAreRefused() {
    const auto bad = [&](const std::string &type, const std::string &value, const std::string &what) {
      refused(start + "[parameters.a]\ntype = " + type + "\ndefault = " + value + "\n", 7, what);
    };
    bad("'integer'\nmaximum = 9", "10", "'parameters.a.default' does not fit: the parameter 'a' is '10'");
    bad("'integer'\nminimum = 9", "'9'", "needs a whole number");
    bad("'integer'\nminimum = 9", "9.0", "needs a whole number");
    bad("'decimal'\nminimum = 0.5", "0.4", "a decimal number of 0.5 or more");
    bad("'string'\nmax_length = 3", "'abcd'", "text of at most 3 bytes");
    bad("'string'\nmax_length = 3", "3", "needs a text");
    bad("'string'\npattern = '[a-z]+'", "'A'", "that matches [a-z]+");
    bad("'string'\nmax_length = 30", "\"a\\nb\"", "control characters");
    bad("'enumeration'\nvalues = ['a', 'b']", "'c'", "one of 'a', 'b'");
    bad("'boolean'\nhelp = ''", "'true'", "needs true or false");
    bad("'boolean'\nhelp = ''", "1", "needs true or false");
  }

  void defaultOfSomethingRequiredIsRefused() {
    refused(start + "[parameters.a]\ntype = 'integer'\nrequired = true\ndefault = 3\n", 7, "is never used");
  }

  void unusedParameterIsRefused() {
    refused(start + "\n[parameters.a]\ntype = 'integer'\n", 5, "'parameters.a' is used nowhere");
  }

  void placeholdersThatNameNothingAreRefused() {
    refused(commanding("'{input.a}'"), 3, "{input.a}, and there is no such input");
    refused(commanding("\n'x',\n'--o={output.a}'"), 5, "{output.a}, and there is no such output");
    refused(commanding("'{parameter.a}'", "[inputs.a]\n"), 3, "{parameter.a}, and there is no such parameter");
  }

  void placeholdersThatCannotBeReadAreRefused() {
    for (const std::string text : {"{a}", "{", "}", "a}", "{}", "{inputs.a}", "{input.a", "{{}", "{input.a}}"}) {
      refused(commanding("\n'" + text + "'", "[inputs.a]\n"), 4, "'command' cannot be read: ");
    }
    load(commanding("'{{}}', 'awk {{ print }}'"));
  }

  void optionalThingsNeedTheirCondition() {
    const std::string declared = "[inputs.i]\nrequired = false\n[parameters.p]\ntype = 'integer'\n"
                                 "[parameters.d]\ntype = 'integer'\ndefault = 3\n";
    refused(commanding("'{input.i}', '{parameter.d}', {if='p', then=['x']}", declared), 3,
            "{input.i}, which a call may leave out");
    refused(commanding("'{parameter.p}', '{parameter.d}'", declared), 3, "{parameter.p}, which a call may leave out");
    refused(commanding("'{parameter.d}', { if = 'i', then = ['{parameter.p}'] }", declared), 3,
            "{parameter.p}, which a call may leave out");
    load(commanding("'{parameter.d}', { if = 'i', then = ['{input.i}'] }, { if = 'p', then = ['-p{parameter.p}'] }",
                    declared));
  }

  void manyInputsStandAlone() {
    const std::string many = "[inputs.i]\nmany = true\n";
    refused(commanding("'--file={input.i}'", many), 3, "has to stand alone");
    load(commanding("'{input.i}'", many));
  }

  void badConditionsAreRefused() {
    refused(commanding("\n{ if = 'a', then = ['x'] }"), 4, "the condition 'a', which is neither");
    refused(commanding("{ if = 'o', then = ['x'] }", "[outputs.o]\n"), 3, "the condition 'o', which is neither");
    refused(commanding("{ then = ['x'] }"), 3, "'command.if' is missing");
    refused(commanding("{ if = 'a' }", "[inputs.a]\n"), 3, "a condition without arguments");
    refused(commanding("{ if = 'a', then = [] }", "[inputs.a]\n"), 3, "a condition without arguments");
    refused(commanding("{ if = 'a', then = 'x' }", "[inputs.a]\n"), 3, "'command.then' needs a list");
    refused(commanding("{ if = 'a', then = [3] }", "[inputs.a]\n"), 3, "'command' needs a text");
  }

  void badCommandsAreRefused() {
    refused("version = '1'\ntitle = 'T'\n", 1, "'command' is missing");
    refused("version = '1'\ntitle = 'T'\ncommand = []\n", 3, "'command' is empty");
    refused(commanding("3"), 3, "'command' needs texts");
    refused(commanding("['a']"), 3, "'command' needs texts");
    for (const std::string program : {"", "bin/true", "./true", "-true"}) {
      refused("version = '1'\ntitle = 'T'\ncommand = ['" + program + "']\n", 3, "has to begin with a program");
    }
    refused("version = '1'\ntitle = 'T'\ncommand = [{ if = 'a', then = ['true'] }]\n[inputs.a]\n", 3,
            "without a condition");
    load("version = '1'\ntitle = 'T'\ncommand = ['/programs/x.py']\n");
  }

  void programOfTheCallersChoiceIsRefused() {
    const auto tool = [](const std::string &declaration) {
      return "version = '1'\ntitle = 'T'\ncommand = ['{parameter.p}']\n[parameters.p]\nrequired = true\n" + declaration;
    };
    refused(tool("type = 'string'\n"), 3, "'p' is none");
    refused(tool("type = 'enumeration'\nvalues = ['../x']\n"), 3, "'p' is none");
    refused("version = '1'\ntitle = 'T'\ncommand = ['{input.i}']\n[inputs.i]\n", 3, "'i' is none");
    load(tool("type = 'enumeration'\nvalues = ['gzip', 'xz']\n"));
    const std::string values =
        "type = 'enumeration'\ndefault = '0'\nvalues = ['0','1','2','3','4','5','6','7','8','9']\n";
    refused("version = '1'\ntitle = 'T'\ncommand = ['p{parameter.a}{parameter.b}{parameter.c}{parameter.d}']\n"
            "[parameters.a]\n" +
                values + "[parameters.b]\n" + values + "[parameters.c]\n" + values + "[parameters.d]\n" + values,
            3, "a choice of more than 1000 programs");
  }

  void standardStreamsAreChecked() {
    refused("standard_input = 'a'\n" + start, 1, "'standard_input' names no input");
    refused("standard_input = 'a'\n" + start + "[inputs.a]\nmany = true\n", 1, "of which there may be many");
    refused("standard_output = 'a'\n" + start + "[inputs.a]\n", 1, "'standard_output' names no output");
    refused("standard_output = 3\n" + start, 1, "needs a text");
  }

  void limitsAreChecked() {
    const auto bad = [&](const std::string &line, const std::string &what) {
      refused(start + "[limits]\n" + line + "\n", 5, what);
    };
    bad("cpu_seconds = 0", "'limits.cpu_seconds' needs a whole number from 1 to 604800");
    bad("wall_seconds = 604801", "'limits.wall_seconds' needs a whole number from 1 to 604800");
    bad("wall_seconds = '5 min'", "needs a whole number");
    bad("processes = 0", "'limits.processes' needs a whole number from 1 to 100000");
    for (const std::string size : {"'512'", "'MiB'", "'512 MB'", "'1.5 GiB'", "'-1 MiB'", "'1 MiB x'", "''", "512",
                                   "'1 KiB'", "'99999999999999999999 B'", "'18446744073709551615 GiB'", "'17 TiB'"}) {
      bad("memory = " + size, "'limits.memory' needs a size from \"1 MiB\" to \"16 TiB\"");
    }
    bad("output = '0 B'", "'limits.output' needs a size from \"1 B\"");
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{3} << 20U,
                         load(start + "[limits]\nmemory = '3MiB'\n").description.limits.memory);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{7}, load(start + "[limits]\noutput = '7 B'\n").description.limits.output);
  }

  void environmentIsChecked() {
    for (const std::string name : {"'A B'", "'1A'", "'A-B'", "''", "'A=B'"}) {
      refused(start + "[environment]\n" + name + " = 'x'\n", 5, "is no name of a variable");
    }
    refused(start + "[environment]\nA = 3\n", 5, "'environment.A' needs a text");
    CPPUNIT_ASSERT_EQUAL(std::string("{x}"), load(start + "[environment]\n_A1 = '{x}'\n").environment.at("_A1"));
  }

  void wholeFilesOfTheGuideAreAlgorithms() {
    std::ifstream file(WAYBILL_SOURCE_DIR "/docs/algorithms.md");
    const std::string guide{std::istreambuf_iterator<char>(file), {}};
    const std::string fence = "```toml\n";
    std::size_t found = 0;
    for (auto begin = guide.find(fence); begin != std::string::npos; begin = guide.find(fence, begin + 1)) {
      const auto text = guide.substr(begin + fence.size(), guide.find("\n```", begin) + 1 - begin - fence.size());
      if (text.starts_with("version")) {
        load(text);
        ++found;
      }
    }
    CPPUNIT_ASSERT_MESSAGE("docs/algorithms.md has whole files", found >= 2);
  }

  void examplesAreAlgorithms() {
    const std::filesystem::path folder = WAYBILL_SOURCE_DIR "/examples/algorithms";
    std::set<std::string> ids;
    for (const auto &entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.path().extension() == ".toml") {
        const auto id = entry.path().lexically_relative(folder).replace_extension("").string();
        const auto algorithm = services::loadAlgorithm(entry.path(), id);
        CPPUNIT_ASSERT_EQUAL(id, algorithm.description.id);
        CPPUNIT_ASSERT_MESSAGE(id, !algorithm.description.help.empty());
        ids.insert(id);
      }
    }
    for (const auto *id : {"text/sort", "table/jq", "image/convert", "archive/compress", "network/analyse"}) {
      CPPUNIT_ASSERT_MESSAGE(id, ids.contains(id));
    }
  }

private:
  Algorithm load(const std::string &text) {
    return services::loadAlgorithm(files_->write("text/sort.toml", text), "text/sort");
  }

  void refused(const std::string &text, int line, const std::string &what) {
    try {
      load(text);
    } catch (const Fault &fault) {
      CPPUNIT_ASSERT(fault.code() == FaultCode::BadParameter);
      const auto start = files_->path("text/sort.toml").string() + ":" + std::to_string(line) + ": ";
      CPPUNIT_ASSERT_MESSAGE(fault.reason() + "\nfor\n" + text, fault.reason().starts_with(start));
      CPPUNIT_ASSERT_MESSAGE(fault.reason(), fault.reason().find(what) != std::string::npos);
      return;
    }
    CPPUNIT_FAIL("accepted: " + text);
  }

  std::optional<test::AlgorithmFiles> files_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(AlgorithmFileTest);

} // namespace
