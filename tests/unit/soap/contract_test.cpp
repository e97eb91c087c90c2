// SPDX-License-Identifier: GPL-3.0-or-later
#include "soap/contract.hpp"

#include <cppunit/extensions/HelperMacros.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace waybill;

const std::string endpoint = "https://lab.example:8443/services/data";

/// A document that can be asked questions in XPath, with the prefixes of the WSDL.
class Document {
public:
  explicit Document(const std::string &text)
      : document_(xmlReadMemory(text.data(), static_cast<int>(text.size()), "served", nullptr, XML_PARSE_NONET),
                  xmlFreeDoc) {
    CPPUNIT_ASSERT(document_ != nullptr);
    CPPUNIT_ASSERT(document_->intSubset == nullptr);
  }

  [[nodiscard]] std::vector<std::string> all(const char *xpath) const {
    const std::unique_ptr<xmlXPathContext, void (*)(xmlXPathContext *)> context(xmlXPathNewContext(document_.get()),
                                                                                xmlXPathFreeContext);
    for (const auto &[prefix, uri] : {std::pair{"wsdl", "http://schemas.xmlsoap.org/wsdl/"},
                                      {"soap", "http://schemas.xmlsoap.org/wsdl/soap/"},
                                      {"soap12", "http://schemas.xmlsoap.org/wsdl/soap12/"},
                                      {"xs", "http://www.w3.org/2001/XMLSchema"},
                                      {"wsam", "http://www.w3.org/2007/05/addressing/metadata"}}) {
      xmlXPathRegisterNs(context.get(), reinterpret_cast<const xmlChar *>(prefix),
                         reinterpret_cast<const xmlChar *>(uri));
    }
    const std::unique_ptr<xmlXPathObject, void (*)(xmlXPathObject *)> found(
        xmlXPathEvalExpression(reinterpret_cast<const xmlChar *>(xpath), context.get()), xmlXPathFreeObject);
    CPPUNIT_ASSERT(found != nullptr && found->type == XPATH_NODESET);
    std::vector<std::string> values;
    for (int i = 0; found->nodesetval != nullptr && i < found->nodesetval->nodeNr; ++i) {
      const std::unique_ptr<xmlChar, void (*)(void *)> value(xmlNodeGetContent(found->nodesetval->nodeTab[i]),
                                                             [](void *memory) { xmlFree(memory); });
      values.emplace_back(reinterpret_cast<const char *>(value.get()));
    }
    return values;
  }

private:
  std::unique_ptr<xmlDoc, void (*)(xmlDoc *)> document_;
};

Document wsdl(const std::string &service, bool soap11Only = false) {
  const auto text = soap::servedWsdl(service, endpoint, soap11Only);
  CPPUNIT_ASSERT(text.has_value());
  return Document(*text);
}

std::string local(const std::string &qualified) { return qualified.substr(qualified.find(':') + 1); }

class ContractTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ContractTest);
  CPPUNIT_TEST(everyFileIsInTheProgramAsItIs);
  CPPUNIT_TEST(unknownNamesAreNothing);
  CPPUNIT_TEST(portsHaveTheAddressAskedAt);
  CPPUNIT_TEST(soap11ComesFirst);
  CPPUNIT_TEST(soap11AloneOnRequest);
  CPPUNIT_TEST(everyImportLeadsToAServedSchema);
  CPPUNIT_TEST(strangeAddressesAreEscaped);
  CPPUNIT_TEST(operationsAreNamedLikeTheirElements);
  CPPUNIT_TEST(repliesAreTakenAsRequests);
  CPPUNIT_TEST(everyCallButGetInstanceDeclaresTheToken);
  CPPUNIT_TEST(faultMessagesAreNotNamedLikeTheirElement);
  CPPUNIT_TEST_SUITE_END();

public:
  void everyFileIsInTheProgramAsItIs() {
    std::set<std::string> seen;
    for (const auto &entry : std::filesystem::directory_iterator(WAYBILL_SOURCE_DIR "/wsdl")) {
      const auto extension = entry.path().extension();
      if (extension != ".wsdl" && extension != ".xsd") {
        continue;
      }
      std::ostringstream text;
      text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
      const auto file = soap::contractFile(entry.path().filename().string());
      CPPUNIT_ASSERT_MESSAGE(entry.path().string(), file.has_value());
      CPPUNIT_ASSERT_EQUAL(text.str(), std::string(*file));
      seen.insert(entry.path().filename().string());
    }
    CPPUNIT_ASSERT(seen.contains("data.wsdl") && seen.contains("access.xsd") && seen.contains("token.xsd"));
  }

  void unknownNamesAreNothing() {
    for (const auto *service : {"", "algorithm", "data.wsdl", "../data", "common"}) {
      CPPUNIT_ASSERT_MESSAGE(service, !soap::servedWsdl(service, endpoint, false));
    }
    for (const auto *schema : {"", "data", "data.wsdl", "../wsdl/data.xsd", "/data.xsd", "README.md", ".xsd"}) {
      CPPUNIT_ASSERT_MESSAGE(schema, !soap::servedSchema(schema, endpoint));
    }
    CPPUNIT_ASSERT(!soap::contractFile("README.md"));
  }

  void portsHaveTheAddressAskedAt() {
    for (const auto *service : {"data", "algorithms", "access"}) {
      const auto addresses = wsdl(service).all("//wsdl:port/*/@location");
      CPPUNIT_ASSERT_EQUAL(std::size_t{2}, addresses.size());
      CPPUNIT_ASSERT_EQUAL(endpoint, addresses[0]);
      CPPUNIT_ASSERT_EQUAL(endpoint, addresses[1]);
    }
  }

  void soap11ComesFirst() {
    for (const auto *service : {"data", "algorithms", "access"}) {
      const auto document = wsdl(service);
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, document.all("//wsdl:port[1]/soap:address").size());
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, document.all("//wsdl:port[2]/soap12:address").size());
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, document.all("//wsdl:binding[1]/soap:binding").size());
      CPPUNIT_ASSERT(document.all("//soap:operation/@soapAction") == document.all("//soap12:operation/@soapAction"));
    }
  }

  void soap11AloneOnRequest() {
    for (const auto *service : {"data", "algorithms", "access"}) {
      const auto document = wsdl(service, true);
      CPPUNIT_ASSERT(document.all("//soap12:*").empty());
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, document.all("//wsdl:port").size());
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, document.all("//wsdl:binding").size());
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, document.all("//soap:address").size());
    }
  }

  void everyImportLeadsToAServedSchema() {
    std::set<std::string> seen;
    std::vector<std::string> open{endpoint + "?xsd=token.xsd"};
    for (const auto *service : {"data", "algorithms", "access"}) {
      const auto imports = wsdl(service).all("//xs:import/@schemaLocation");
      open.insert(open.end(), imports.begin(), imports.end());
    }
    while (!open.empty()) {
      const auto location = open.back();
      open.pop_back();
      const auto start = endpoint + "?xsd=";
      CPPUNIT_ASSERT_MESSAGE(location, location.starts_with(start));
      const auto name = location.substr(start.size());
      if (!seen.insert(name).second) {
        continue;
      }
      const auto schema = soap::servedSchema(name, endpoint);
      CPPUNIT_ASSERT_MESSAGE(name, schema.has_value());
      const auto more = Document(*schema).all("//@schemaLocation");
      open.insert(open.end(), more.begin(), more.end());
    }
    CPPUNIT_ASSERT((seen == std::set<std::string>{"access.xsd", "algorithms.xsd", "common.xsd", "data.xsd",
                                                  "swaref.xsd", "token.xsd", "ws-addressing.xsd", "xmlmime.xsd"}));
  }

  void strangeAddressesAreEscaped() {
    const std::string strange = "https://a\"><x y='&amp;&'/>\xC3\xBC/services/data";
    const auto text = soap::servedWsdl("data", strange, false);
    const Document document(text.value_or(""));
    CPPUNIT_ASSERT(document.all("//*[local-name() = 'x']").empty());
    for (const auto &address : document.all("//wsdl:port/*/@location")) {
      CPPUNIT_ASSERT_EQUAL(strange, address);
    }
    const Document schema(soap::servedSchema("data.xsd", strange).value_or(""));
    CPPUNIT_ASSERT_EQUAL(strange + "?xsd=common.xsd", schema.all("//xs:include/@schemaLocation").at(0));
  }

  void operationsAreNamedLikeTheirElements() {
    const std::set<std::string> data{"Copy",         "Receive",        "Delete",         "List",
                                     "Describe",     "GetTransfer",    "ListTransfers",  "CancelTransfer",
                                     "CopyResponse", "InvokeResponse", "ReceiveResponse"};
    const std::set<std::string> algorithms{"ListAlgorithms", "DescribeAlgorithm", "Invoke",
                                           "GetJob",         "ListJobs",          "CancelJob"};
    const std::set<std::string> access{"GetInstance", "TrustKey", "ListKeys",  "RevokeKey",
                                       "Grant",       "Revoke",   "ListGrants"};
    for (const auto &[service, names] : {std::pair{"data", data}, {"algorithms", algorithms}, {"access", access}}) {
      const auto document = wsdl(service);
      const auto operations = document.all("//wsdl:portType/wsdl:operation/@name");
      CPPUNIT_ASSERT((std::set<std::string>(operations.begin(), operations.end()) == names));
      std::set<std::string> declared;
      for (const auto *schema : {"data.xsd", "algorithms.xsd", "access.xsd"}) {
        const auto elements =
            Document(soap::servedSchema(schema, endpoint).value_or("")).all("/xs:schema/xs:element/@name");
        declared.insert(elements.begin(), elements.end());
      }
      for (const auto &name : operations) {
        const auto isReply = name.ends_with("Response"); // of an operation elsewhere, delivered here
        CPPUNIT_ASSERT_MESSAGE(name, declared.contains(name) && (isReply || declared.contains(name + "Response")));
        const auto operation = "//wsdl:portType/wsdl:operation[@name='" + name + "']";
        CPPUNIT_ASSERT_EQUAL("urn:waybill:1/" + name,
                             document.all((operation + "/wsdl:input/@wsam:Action").c_str()).at(0));
        if (!isReply) {
          CPPUNIT_ASSERT_EQUAL("urn:waybill:1/" + name + "Response",
                               document.all((operation + "/wsdl:output/@wsam:Action").c_str()).at(0));
        }
        const auto isOneWay = document.all((operation + "/wsdl:output").c_str()).empty();
        CPPUNIT_ASSERT_EQUAL(name == "ReceiveResponse", isOneWay);
        CPPUNIT_ASSERT(document.all((operation + "/wsdl:fault/@wsam:Action").c_str()) ==
                       std::vector<std::string>(isOneWay ? 0 : 1, "urn:waybill:1/Fault"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, document.all((operation + "/wsdl:documentation").c_str()).size());
        const auto actions =
            document.all(("//wsdl:binding/wsdl:operation[@name='" + name + "']/*/@soapAction").c_str());
        CPPUNIT_ASSERT((actions == std::vector<std::string>(2, "urn:waybill:1/" + name)));
      }
    }
  }

  void repliesAreTakenAsRequests() {
    const auto document = wsdl("data");
    const auto message = [&](const std::string &operation, const std::string &direction) {
      const auto found = document.all(
          ("//wsdl:portType/wsdl:operation[@name='" + operation + "']/wsdl:" + direction + "/@message").c_str());
      return found.empty() ? std::string() : found.at(0);
    };
    CPPUNIT_ASSERT_EQUAL(message("Copy", "output"), message("CopyResponse", "input"));
    CPPUNIT_ASSERT_EQUAL(message("Receive", "output"), message("CopyResponse", "output"));
    CPPUNIT_ASSERT_EQUAL(message("Receive", "output"), message("ReceiveResponse", "input"));
    CPPUNIT_ASSERT(document.all("//wsdl:binding/wsdl:operation[@name='ReceiveResponse']/wsdl:output").empty());
  }

  void everyCallButGetInstanceDeclaresTheToken() {
    CPPUNIT_ASSERT_EQUAL(std::size_t{22},
                         wsdl("data").all("//wsdl:input/*[local-name()='header'][@part='Token']").size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{12},
                         wsdl("access").all("//wsdl:input/*[local-name()='header'][@part='Token']").size());
    CPPUNIT_ASSERT(wsdl("access").all("//wsdl:operation[@name='GetInstance']//*[local-name()='header']").empty());
  }

  void faultMessagesAreNotNamedLikeTheirElement() {
    for (const auto *service : {"data", "algorithms", "access"}) {
      const auto document = wsdl(service);
      for (const auto &message : document.all("//wsdl:portType//wsdl:fault/@message")) {
        const auto element =
            document.all(("//wsdl:message[@name='" + local(message) + "']/wsdl:part/@element").c_str());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, element.size());
        CPPUNIT_ASSERT_EQUAL(std::string("wb:Fault"), element[0]);
        CPPUNIT_ASSERT(local(message) != "Fault");
      }
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ContractTest);

} // namespace
