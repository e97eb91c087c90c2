// SPDX-License-Identifier: GPL-3.0-or-later
#include "envelope_fixture.hpp"

#include <cppunit/extensions/HelperMacros.h>

namespace {

using namespace waybill;
using namespace waybill::soap;
using namespace waybill::soap::test;

std::string utf16(std::string_view ascii, bool bigEndian, bool mark = true) {
  std::string text = !mark ? "" : bigEndian ? "\xFE\xFF" : "\xFF\xFE";
  for (const char c : ascii) {
    if (bigEndian) {
      text += '\0';
    }
    text += c;
    if (!bigEndian) {
      text += '\0';
    }
  }
  return text;
}

/// What is refused, and that it is refused early: inputs here are large enough that believing them would take minutes
/// or gigabytes.
class EnvelopeLimitsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EnvelopeLimitsTest);
  CPPUNIT_TEST(doctypesAreRefused);
  CPPUNIT_TEST(entityBombsAreRefused);
  CPPUNIT_TEST(externalEntitiesAreRefused);
  CPPUNIT_TEST(entityReferencesAreRefused);
  CPPUNIT_TEST(theFiveEntitiesAndCharacterReferencesAreTaken);
  CPPUNIT_TEST(processingInstructionsAreRefused);
  CPPUNIT_TEST(deepNestingIsRefused);
  CPPUNIT_TEST(tenThousandAttributesAreRefused);
  CPPUNIT_TEST(millionsOfAttributesAreRefused);
  CPPUNIT_TEST(namespaceDeclarationsCountAsAttributes);
  CPPUNIT_TEST(attributesHiddenBehindOtherMarkupAreCounted);
  CPPUNIT_TEST(attributesAfterAnErrorCostNothing);
  CPPUNIT_TEST(manyDeclarationsInScopeAreRefused);
  CPPUNIT_TEST(declarationsOutOfScopeAreForgotten);
  CPPUNIT_TEST(tooManyElementsAreRefused);
  CPPUNIT_TEST(tooManyAttributesInAllAreRefused);
  CPPUNIT_TEST(tooManyCommentsAreRefused);
  CPPUNIT_TEST(tooManyHeadersAreRefused);
  CPPUNIT_TEST(hundredMebibytesOfHeaderAreRefused);
  CPPUNIT_TEST(nodesShareMemory);
  CPPUNIT_TEST(theLimitsAreInclusive);
  CPPUNIT_TEST(longTextIsTaken);
  CPPUNIT_TEST(linesPast65535AreTold);
  CPPUNIT_TEST(utf8WithMarkIsTaken);
  CPPUNIT_TEST(utf16IsTaken);
  CPPUNIT_TEST(limitsHoldInUtf16);
  CPPUNIT_TEST(latin1IsTaken);
  CPPUNIT_TEST(charsetOfTheMediaTypeHasTheLastWord);
  CPPUNIT_TEST(charsetThatDoesNotFitIsRefused);
  CPPUNIT_TEST(unknownCharsetsAreRefused);
  CPPUNIT_TEST_SUITE_END();

public:
  void doctypesAreRefused() {
    for (const auto *doctype :
         {"<!DOCTYPE a>", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'>", "<!DOCTYPE a [<!ELEMENT a ANY>]>",
          "<!DOCTYPE a PUBLIC '-//X' 'http://127.0.0.1:9/x.dtd'>"}) {
      const auto fault = parseFault(doctype + envelope11(""));
      assertCode(FaultCode::InvalidMessage, fault);
      assertContains(fault.reason(), "DOCTYPE");
      assertContains(fault.reason(), "line 1");
    }
  }

  void entityBombsAreRefused() {
    std::string bomb = "<!DOCTYPE lolz [<!ENTITY e0 'lol'>";
    for (int i = 1; i < 20; ++i) {
      bomb += "<!ENTITY e" + std::to_string(i) + " '" + repeated("&e" + std::to_string(i - 1) + ";", 10) + "'>";
    }
    assertContains(parseFault(bomb + "]>" + envelope11("", "<wb:List>&e19;</wb:List>")).reason(), "DOCTYPE");
    const auto parameters =
        "<!DOCTYPE a [<!ENTITY % p '<!ENTITY q \"x\">'> %p;]>" + envelope11("", "<wb:List>&q;</wb:List>");
    assertContains(parseFault(parameters).reason(), "DOCTYPE");
  }

  void externalEntitiesAreRefused() {
    const auto xml = "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/hostname'>]>" +
                     envelope11("", "<wb:List><wb:Prefix>&x;</wb:Prefix></wb:List>");
    assertContains(parseFault(xml).reason(), "DOCTYPE");
  }

  void entityReferencesAreRefused() {
    for (const auto *body : {"<wb:List>&nbsp;</wb:List>", "<wb:List a='&nbsp;'/>"}) {
      const auto fault = parseFault(envelope11("", body));
      assertCode(FaultCode::InvalidMessage, fault);
      assertContains(fault.reason(), "refers to an entity");
    }
  }

  void theFiveEntitiesAndCharacterReferencesAreTaken() {
    const auto envelope = Envelope::parse(envelope11("<wb:Token>&amp;&lt;&gt;&quot;&apos;&#65;&#x42;</wb:Token>"), {});
    CPPUNIT_ASSERT_EQUAL(std::string("&<>\"'AB"), envelope.headerText({"urn:waybill:1", "Token"}).value());
  }

  void processingInstructionsAreRefused() {
    const auto plain = envelope11("");
    for (const auto &xml : {"<?php evil() ?>" + plain, "<?xml version='1.0'?><?xml-stylesheet href='x'?>" + plain,
                            plain + "<?end?>", envelope11("", "<wb:List><?x y?></wb:List>")}) {
      const auto fault = parseFault(xml);
      assertCode(FaultCode::InvalidMessage, fault);
      assertContains(fault.reason(), "processing instruction");
    }
  }

  void deepNestingIsRefused() {
    const auto fault = parseFault(envelope11("", repeated("<a>", 1'000'000)));
    assertCode(FaultCode::TooLarge, fault);
    assertContains(fault.reason(), "nested deeper than 64");
  }

  void tenThousandAttributesAreRefused() {
    std::string tag = "<wb:List";
    for (int i = 0; i < 10'000; ++i) {
      tag += " a" + std::to_string(i) + "='x'";
    }
    const auto fault = parseFault(envelope11("", "\n  " + tag + "/>"));
    assertCode(FaultCode::TooLarge, fault);
    assertContains(fault.reason(), "10000 attributes");
    assertContains(fault.reason(), "line 2, column 3");
  }

  void millionsOfAttributesAreRefused() {
    std::string tag = "<wb:List";
    for (int i = 0; i < 1'200'000; ++i) {
      tag += " a" + std::to_string(i) + "=''";
    }
    assertCode(FaultCode::TooLarge, parseFault(envelope11("", tag + "/>")));
  }

  void namespaceDeclarationsCountAsAttributes() {
    std::string tag = "<wb:List";
    for (int i = 0; i < 129; ++i) {
      tag += " xmlns:p" + std::to_string(i) + "=\"urn:'>p\"";
    }
    assertCode(FaultCode::TooLarge, parseFault(envelope11("", tag + "/>")));
  }

  void attributesHiddenBehindOtherMarkupAreCounted() {
    std::string tag = "<wb:List";
    for (int i = 0; i < 129; ++i) {
      tag += " a" + std::to_string(i) + " = '>'";
    }
    tag += "/>";
    for (const auto *before : {"<!-- > ' -->", "<![CDATA[ ]> ' ]]>", "<x y='-->\"'/>", "<x>'</x>", "<x y=\"'\"/>"}) {
      assertContains(parseFault(envelope11("", "<wb:Copy>" + std::string(before) + tag + "</wb:Copy>")).reason(),
                     "129 attributes");
    }
    const auto comment =
        "<wb:Copy><!-- " + repeated("a='1' ", 200) + "<x " + repeated("a='1' ", 200) + "> --></wb:Copy>";
    (void)Envelope::parse(envelope11("", comment), {});
    (void)Envelope::parse(envelope11("", "<wb:Copy><![CDATA[<x " + repeated("a='1' ", 200) + ">]]></wb:Copy>"), {});
  }

  void attributesAfterAnErrorCostNothing() {
    // After the error the two readings of where tags are may differ; what matters is that this ends with the error,
    // soon.
    std::string tag = "<a b=c d='><";
    for (int i = 0; i < 1'000'000; ++i) {
      tag += " a" + std::to_string(i) + "=\"\"";
    }
    assertContains(parseFault(envelope11("", tag + "'/>")).reason(), "not well-formed");
  }

  void manyDeclarationsInScopeAreRefused() {
    std::string body;
    for (int depth = 0; depth < 50; ++depth) {
      body += "<a";
      for (int i = 0; i < 100; ++i) {
        body += " xmlns:p" + std::to_string(depth * 100 + i) + "='urn:p'";
      }
      body += ">";
    }
    assertContains(parseFault(envelope11("", body)).reason(), "in scope");
  }

  void declarationsOutOfScopeAreForgotten() {
    std::string body = "<wb:Copy>";
    for (int i = 0; i < 1000; ++i) {
      body += "<p:a xmlns:p='urn:p'><q:b xmlns:q='urn:q'/></p:a>";
    }
    (void)Envelope::parse(envelope11("", body + "</wb:Copy>"), {});
  }

  void tooManyElementsAreRefused() {
    const auto fault = parseFault(envelope11("", "<wb:Copy>" + repeated("<a/>", 300'000) + "</wb:Copy>"));
    assertCode(FaultCode::TooLarge, fault);
    assertContains(fault.reason(), "200000 elements");
  }

  void tooManyAttributesInAllAreRefused() {
    std::string tag = "<a";
    for (int i = 0; i < 100; ++i) {
      tag += " a" + std::to_string(i) + "='1'";
    }
    assertCode(FaultCode::TooLarge,
               parseFault(envelope11("", "<wb:Copy>" + repeated(tag + "/>", 10'000) + "</wb:Copy>")));
  }

  void tooManyCommentsAreRefused() {
    assertCode(FaultCode::TooLarge,
               parseFault(envelope11("", "<wb:Copy>" + repeated("<!---->", 1'000'000) + "</wb:Copy>")));
    assertCode(FaultCode::TooLarge,
               parseFault(envelope11("", "<wb:Copy>" + repeated("<![CDATA[]]>x", 400'000) + "</wb:Copy>")));
  }

  void tooManyHeadersAreRefused() {
    const auto fault = parseFault(envelope11(repeated("<x:h xmlns:x='urn:x'/>", 65)));
    assertCode(FaultCode::TooLarge, fault);
    assertContains(fault.reason(), "64 header blocks");
    (void)Envelope::parse(envelope11(repeated("<x:h xmlns:x='urn:x'><x:a/></x:h>", 64)), {});
  }

  void hundredMebibytesOfHeaderAreRefused() {
    const auto xml = envelope11("<x:h xmlns:x='urn:x'>" + std::string(100U << 20U, 'x') + "</x:h>");
    const auto fault = parseFault(xml);
    assertCode(FaultCode::TooLarge, fault);
    assertContains(fault.reason(), std::to_string(xml.size()));
    assertContains(fault.reason(), "16777216");
  }

  /// A tree takes far more than its bytes.
  void nodesShareMemory() {
    const auto budget = std::make_shared<Budget>(100 * 256, 0);
    Budget::Share other(budget);
    CPPUNIT_ASSERT(other.take(1));
    const auto of = [&](std::size_t items) {
      return envelope11("", "<wb:List>" + repeated("<wb:Limit a='1'/>", items) + "</wb:List>");
    };
    Budget::Share memory(budget);
    (void)Envelope::parse(of(40), {}, {}, &memory);
    CPPUNIT_ASSERT_MESSAGE(std::to_string(memory.taken()), memory.taken() >= 80 * 256 && memory.taken() < 100 * 256);
    memory.giveBack();
    try {
      (void)Envelope::parse(of(60), {}, {}, &memory);
      CPPUNIT_FAIL("there was no room");
    } catch (const Fault &fault) {
      assertCode(FaultCode::Busy, fault);
      assertContains(fault.reason(), "limits.memory_bytes");
    }
  }

  void theLimitsAreInclusive() {
    Limits limits;
    const auto xml = envelope11("", "<wb:List a='1' b='2'><wb:Limit/></wb:List>");
    limits.envelopeBytes = xml.size();
    limits.depth = 4;
    limits.attributes = 3;
    limits.elements = 5;
    (void)Envelope::parse(xml, limits);
    auto less = limits;
    less.envelopeBytes -= 1;
    assertCode(FaultCode::TooLarge, parseFault(xml, less));
    less = limits;
    less.depth -= 1;
    assertCode(FaultCode::TooLarge, parseFault(xml, less));
    less = limits;
    less.attributes -= 1;
    assertCode(FaultCode::TooLarge, parseFault(xml, less));
    less = limits;
    less.elements = 3;
    assertCode(FaultCode::TooLarge, parseFault(xml, less));
  }

  void longTextIsTaken() {
    const std::string text(12U << 20U, 'A');
    const auto envelope = Envelope::parse(envelope11("<wb:Token>" + text + "</wb:Token>"), {});
    CPPUNIT_ASSERT(text == envelope.headerText({"urn:waybill:1", "Token"}).value());
  }

  void linesPast65535AreTold() {
    const auto fault = parseFault(envelope11("", "<wb:List/>" + std::string(99'999, '\n') + "<wb:Copy/>"));
    assertContains(fault.reason(), "line 100000 ");
  }

  void utf8WithMarkIsTaken() {
    CPPUNIT_ASSERT_EQUAL(std::string("List"), Envelope::parse("\xEF\xBB\xBF" + envelope11(""), {}).bodyElement().local);
    CPPUNIT_ASSERT_EQUAL(std::string("List"),
                         Envelope::parse("\xEF\xBB\xBF" + envelope11(""), {}, "UTF-8").bodyElement().local);
  }

  void utf16IsTaken() {
    const auto plain = envelope11("<wb:Token>abc</wb:Token>");
    const auto declared = "<?xml version=\"1.0\" encoding=\"UTF-16\"?>" + plain;
    for (const bool bigEndian : {false, true}) {
      for (const auto &xml : {utf16(plain, bigEndian), utf16(declared, bigEndian), utf16(declared, bigEndian, false)}) {
        for (const auto *charset : {"", "utf-16"}) {
          const auto envelope = Envelope::parse(xml, {}, charset);
          CPPUNIT_ASSERT_EQUAL(std::string("abc"), envelope.headerText({"urn:waybill:1", "Token"}).value());
        }
      }
    }
  }

  void limitsHoldInUtf16() {
    std::string tag = "<wb:List";
    for (int i = 0; i < 129; ++i) {
      tag += " a" + std::to_string(i) + "=''";
    }
    assertCode(FaultCode::TooLarge, parseFault(utf16(envelope11("", tag + "/>"), true)));
    assertContains(parseFault(utf16("<!DOCTYPE a>" + envelope11(""), false)).reason(), "DOCTYPE");
  }

  void latin1IsTaken() {
    const auto xml = "<?xml version='1.0' encoding='ISO-8859-1'?>" + envelope11("<wb:Token>\xE9</wb:Token>");
    CPPUNIT_ASSERT_EQUAL(std::string("\xC3\xA9"),
                         Envelope::parse(xml, {}).headerText({"urn:waybill:1", "Token"}).value());
    const auto windows = envelope11("<wb:Token>" + repeated("\x80", 1000) + "</wb:Token>");
    CPPUNIT_ASSERT_EQUAL(repeated("\xE2\x82\xAC", 1000),
                         Envelope::parse(windows, {}, "Windows-1252").headerText({"urn:waybill:1", "Token"}).value());
  }

  void charsetOfTheMediaTypeHasTheLastWord() {
    const auto xml = "<?xml version='1.0' encoding='utf-8'?>" + envelope11("<wb:Token>\xE9</wb:Token>");
    CPPUNIT_ASSERT_EQUAL(std::string("\xC3\xA9"),
                         Envelope::parse(xml, {}, " iso-8859-1 ").headerText({"urn:waybill:1", "Token"}).value());
    const auto other = "<?xml version='1.0' encoding='ISO-8859-1'?>" + envelope11("<wb:Token>\xC3\xA9</wb:Token>");
    CPPUNIT_ASSERT_EQUAL(std::string("\xC3\xA9"),
                         Envelope::parse(other, {}, "UTF-8").headerText({"urn:waybill:1", "Token"}).value());
  }

  void charsetThatDoesNotFitIsRefused() {
    assertCode(FaultCode::InvalidMessage, parseFault(utf16(envelope11(""), false), {}, "utf-8"));
    assertCode(FaultCode::InvalidMessage, parseFault(utf16(envelope11(""), true, false), {}, "utf-8"));
    assertCode(FaultCode::InvalidMessage, parseFault(envelope11(""), {}, "utf-16"));
    assertCode(FaultCode::InvalidMessage, parseFault("<?xml version='1.0' encoding='UTF-16'?>" + envelope11("")));
    assertCode(FaultCode::InvalidMessage, parseFault(envelope11("<wb:Token>\xE9</wb:Token>")));
    auto cut = utf16(envelope11(""), false);
    cut.pop_back();
    assertCode(FaultCode::InvalidMessage, parseFault(cut));
    assertCode(FaultCode::InvalidMessage, parseFault(utf16("<", false) + std::string("\x00\xD8\x41\x00", 4)));
  }

  void unknownCharsetsAreRefused() {
    for (const auto *charset : {"ebcdic-cp-us", "utf-7", "utf-32", "klingon", "utf-8//TRANSLIT", "\xFF\x01"}) {
      const auto fault = parseFault(envelope11(""), {}, charset);
      assertCode(FaultCode::InvalidMessage, fault);
      assertContains(fault.reason(), "send the message in UTF-8");
    }
    assertContains(parseFault("<?xml version='1.0' encoding='x-user-defined'?>" + envelope11("")).reason(),
                   "x-user-defined");
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(EnvelopeLimitsTest);

} // namespace
