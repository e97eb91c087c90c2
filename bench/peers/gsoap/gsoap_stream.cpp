// SPDX-License-Identifier: GPL-3.0-or-later
// A peer for bench/run: gSOAP's own MTOM streaming over HTTPS, as its documentation shows it, server and client in one
// program.
//   gsoap_stream serve PORT CERTIFICATE KEY FOLDER     (port 0: a free one; "listening PORT" is printed)
//   gsoap_stream put PORT FILE NAME | get PORT NAME FILE
#include "soapH.h"
#include "stream.nsmap"

#include <netinet/in.h>
#include <sys/socket.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

// gSOAP's callbacks get one pointer, soap->user.
struct Side {
  std::string folder; ///< server: where files are
  std::string target; ///< client: the file that an attachment goes to
};

Side &side(struct soap *soap) { return *static_cast<Side *>(soap->user); }

void *readOpen(struct soap *, void *handle, const char *, const char *, const char *) { return handle; }
void readClose(struct soap *, void *handle) { std::fclose(static_cast<FILE *>(handle)); }
size_t readSome(struct soap *, void *handle, char *into, size_t length) {
  return std::fread(into, 1, length, static_cast<FILE *>(handle));
}

void *writeOpen(struct soap *soap, void *, const char *, const char *, const char *, enum soap_mime_encoding) {
  const auto &name = side(soap).target.empty() ? side(soap).folder + "/upload" : side(soap).target;
  FILE *file = std::fopen(name.c_str(), "wb");
  if (file == nullptr) {
    soap->error = SOAP_EOF;
  }
  return file;
}
void writeClose(struct soap *, void *handle) { std::fclose(static_cast<FILE *>(handle)); }
int writeSome(struct soap *, void *handle, const char *from, size_t length) {
  return std::fwrite(from, 1, length, static_cast<FILE *>(handle)) == length ? SOAP_OK : SOAP_EOF;
}

void prepare(struct soap *soap, Side &mine) {
  soap->user = &mine;
  soap->fmimereadopen = readOpen;
  soap->fmimereadclose = readClose;
  soap->fmimeread = readSome;
  soap->fmimewriteopen = writeOpen;
  soap->fmimewriteclose = writeClose;
  soap->fmimewrite = writeSome;
  soap->send_timeout = soap->recv_timeout = 60;
}

int failed(struct soap *soap) {
  soap_print_fault(soap, stderr);
  return 1;
}

int serve(int port, const char *certificate, const char *key, const char *folder) {
  // One file holds both for gSOAP: the key first.
  const std::string both = std::string(folder) + "/server.pem";
  const std::string join = "cat '" + std::string(key) + "' '" + certificate + "' > '" + both + "'";
  if (std::system(join.c_str()) != 0) {
    return 1;
  }
  Side mine{folder, ""};
  struct soap *soap = soap_new1(SOAP_ENC_MTOM | SOAP_IO_CHUNK);
  prepare(soap, mine);
  soap->bind_flags = SO_REUSEADDR;
  if (soap_ssl_server_context(soap, SOAP_SSL_DEFAULT, both.c_str(), nullptr, nullptr, nullptr, nullptr, nullptr,
                              nullptr) != SOAP_OK) {
    return failed(soap);
  }
  if (!soap_valid_socket(soap_bind(soap, "127.0.0.1", port, 100))) {
    return failed(soap);
  }
  sockaddr_in address{};
  socklen_t length = sizeof address;
  getsockname(soap->master, reinterpret_cast<sockaddr *>(&address), &length);
  std::printf("listening %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  while (soap_valid_socket(soap_accept(soap))) {
    if (soap_ssl_accept(soap) != SOAP_OK || soap_serve(soap) != SOAP_OK) {
      soap_print_fault(soap, stderr);
    }
    soap_destroy(soap);
    soap_end(soap);
  }
  return failed(soap);
}

struct soap *newClient(Side &mine) {
  struct soap *soap = soap_new1(SOAP_ENC_MTOM | SOAP_IO_CHUNK);
  prepare(soap, mine);
  // The other peers' clients check the certificate once a connection; it costs nothing that a gigabyte would show.
  if (soap_ssl_client_context(soap, SOAP_SSL_NO_AUTHENTICATION, nullptr, nullptr, nullptr, nullptr, nullptr) !=
      SOAP_OK) {
    std::exit(failed(soap));
  }
  return soap;
}

int put(const std::string &url, const char *file, char *name) {
  Side mine;
  struct soap *soap = newClient(mine);
  struct b__Content content {};
  content.xop__Include.__ptr = reinterpret_cast<unsigned char *>(std::fopen(file, "rb"));
  content.xop__Include.type = const_cast<char *>("application/octet-stream");
  char *stored = nullptr;
  if (content.xop__Include.__ptr == nullptr ||
      soap_call_b__put(soap, url.c_str(), nullptr, name, &content, stored) != SOAP_OK) {
    return failed(soap);
  }
  return 0;
}

int get(const std::string &url, char *name, const char *file) {
  Side mine{"", file};
  struct soap *soap = newClient(mine);
  struct b__getResponse response {};
  return soap_call_b__get(soap, url.c_str(), nullptr, name, response) == SOAP_OK ? 0 : failed(soap);
}

} // namespace

int b__put(struct soap *soap, char *Name, struct b__Content *, char *&Stored) {
  // The attachment is on the disk by now: gSOAP has called writeOpen, writeSome and writeClose.
  const auto &folder = side(soap).folder;
  if (Name == nullptr || std::rename((folder + "/upload").c_str(), (folder + "/" + Name).c_str()) != 0) {
    return soap_sender_fault(soap, "cannot store", nullptr);
  }
  Stored = Name;
  return SOAP_OK;
}

int b__get(struct soap *soap, char *Name, struct b__getResponse &response) {
  FILE *file = Name == nullptr ? nullptr : std::fopen((side(soap).folder + "/" + Name).c_str(), "rb");
  if (file == nullptr) {
    return soap_sender_fault(soap, "no such file", nullptr);
  }
  response.Content.xop__Include.__ptr = reinterpret_cast<unsigned char *>(file);
  response.Content.xop__Include.type = const_cast<char *>("application/octet-stream");
  return SOAP_OK;
}

int main(int argc, char **argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "serve" && argc == 6) {
    return serve(std::atoi(argv[2]), argv[3], argv[4], argv[5]);
  }
  const std::string url = argc == 5 ? "https://127.0.0.1:" + std::string(argv[2]) : "";
  if (verb == "put" && argc == 5) {
    return put(url, argv[3], argv[4]);
  }
  if (verb == "get" && argc == 5) {
    return get(url, argv[3], argv[4]);
  }
  std::fprintf(stderr,
               "usage: gsoap_stream serve PORT CERTIFICATE KEY FOLDER | put PORT FILE NAME | get PORT NAME FILE\n");
  return 2;
}
