// SPDX-License-Identifier: GPL-3.0-or-later
// A plain gSOAP client: what wsdl2h and soapcpp2 made of the served WSDL, with their default options, and nothing of
// Waybill's own code.
//   client ENDPOINT CA TOKEN receive PATH FILE inline|mtom
//   client ENDPOINT CA TOKEN copy PATH FILE MTOM|Inline
//   client ENDPOINT CA TOKEN list PREFIX
// Prints what came back; for a fault "fault CODE", and ends with 3.
#include "DataManagerSoap11Binding.nsmap"
#include "soapDataManagerSoap11BindingProxy.h"

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

namespace {

int failed(struct soap *soap) {
  // gSOAP keeps the detail where the message's SOAP version has it.
  const struct SOAP_ENV__Detail *detail = nullptr;
  if (soap->fault != nullptr) {
    detail = soap->fault->detail != nullptr ? soap->fault->detail : soap->fault->SOAP_ENV__Detail;
  }
  if (detail == nullptr || detail->ns1__Fault == nullptr) {
    soap_stream_fault(soap, std::cerr);
    return 1;
  }
  std::cout << "fault " << detail->ns1__Fault->Code << '\n';
  return 3;
}

std::string readFile(const char *name) {
  std::ifstream file(name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int receive(DataManagerSoap11BindingProxy &proxy, std::string path, const char *file, bool attached) {
  auto bytes = readFile(file);
  ns1__Content content;
  content.soap_default(proxy.soap);
  content.__item.__ptr = reinterpret_cast<unsigned char *>(bytes.data());
  content.__item.__size = static_cast<int>(bytes.size());
  if (attached) {
    content.__item.id = soap_strdup(proxy.soap, "cid:one@gsoap");
    content.__item.type = soap_strdup(proxy.soap, "application/octet-stream");
  }
  ns1__Data data;
  data.soap_default(proxy.soap);
  data.Path = &path;
  data.Content = &content;
  _ns1__Receive request;
  request.soap_default(proxy.soap);
  request.Data.push_back(&data);
  _ns1__ReceiveResponse response;
  if (proxy.Receive(&request, response) != SOAP_OK) {
    return failed(proxy.soap);
  }
  std::cout << "stored " << *response.Data.at(0)->Path << ' ' << *response.Data.at(0)->Size << '\n';
  return 0;
}

int copy(DataManagerSoap11BindingProxy &proxy, std::string path, const char *file, const std::string &attach) {
  auto way = attach == "Inline" ? ns1__Attach__Inline : ns1__Attach__MTOM;
  ns1__Data data;
  data.soap_default(proxy.soap);
  data.Path = &path;
  _ns1__Copy request;
  request.soap_default(proxy.soap);
  request.Data.push_back(&data);
  request.Attach = &way;
  _ns1__CopyResponse response;
  if (proxy.Copy(&request, response) != SOAP_OK) {
    return failed(proxy.soap);
  }
  const auto *content = response.Data.at(0)->Content;
  if (content == nullptr) {
    std::cerr << "the reply has no Content\n";
    return 1;
  }
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char *>(content->__item.__ptr), content->__item.__size);
  std::cout << "fetched " << content->__item.__size << '\n';
  return 0;
}

int list(DataManagerSoap11BindingProxy &proxy, std::string prefix) {
  _ns1__List request;
  request.soap_default(proxy.soap);
  request.Prefix = &prefix;
  _ns1__ListResponse response;
  if (proxy.List(&request, response) != SOAP_OK) {
    return failed(proxy.soap);
  }
  for (const auto *data : response.Data) {
    std::cout << *data->Path << '\n';
  }
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 6) {
    return 2;
  }
  const std::string verb = argv[4];
  struct soap *soap = soap_new1(SOAP_ENC_MTOM | SOAP_C_UTFSTRING);
  if (soap_ssl_client_context(soap, SOAP_SSL_DEFAULT, nullptr, nullptr, argv[2], nullptr, nullptr) != SOAP_OK) {
    soap_stream_fault(soap, std::cerr);
    return 1;
  }
  DataManagerSoap11BindingProxy proxy(soap, argv[1]);
  std::string token = argv[3];
  soap_header(soap);
  soap->header->ns1__Token = &token;
  if (verb == "receive" && argc == 8) {
    return receive(proxy, argv[5], argv[6], std::string(argv[7]) == "mtom");
  }
  if (verb == "copy" && argc == 8) {
    return copy(proxy, argv[5], argv[6], argv[7]);
  }
  return verb == "list" ? list(proxy, argv[5]) : 2;
}
