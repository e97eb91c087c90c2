// SPDX-License-Identifier: GPL-3.0-or-later
#include "generated/wireH.h"

/// The prefixes that the codec writes and reads by; libgsoapssl++ wants the table under this name. What soapcpp2 writes
/// (*.nsmap) would put a declaration of every namespace of the contract on every message. The first two rows stand for
/// the SOAP envelope, which is not gSOAP's to write.
SOAP_NMAC struct Namespace namespaces[] = {{"SOAP-ENV", nullptr, nullptr, nullptr},
                                           {"SOAP-ENC", nullptr, nullptr, nullptr},
                                           {"xsi", "http://www.w3.org/2001/XMLSchema-instance", nullptr, nullptr},
                                           {"xsd", nullptr, nullptr, nullptr},
                                           {"wb", "urn:waybill:1", nullptr, nullptr},
                                           {"xmime", "http://www.w3.org/2005/05/xmlmime", nullptr, nullptr},
                                           {nullptr, nullptr, nullptr, nullptr}};
