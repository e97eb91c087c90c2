// SPDX-License-Identifier: GPL-3.0-or-later
// Input of soapcpp2: a service of two calls that moves one file as a streamed MTOM attachment, nothing more.
#import "soap12.h"
#import "xop.h"
#import "xmime5.h"

//gsoap b service name: stream
//gsoap b service namespace: urn:waybill:bench:gsoap
//gsoap b schema namespace: urn:waybill:bench:gsoap
//gsoap b schema elementForm: qualified

struct b__Content {
  _xop__Include xop__Include;
  @char *xmime5__contentType;
};

struct b__getResponse {
  struct b__Content Content;
};

int b__put(char *Name, struct b__Content *Content, char *&Stored);
int b__get(char *Name, struct b__getResponse &response);
