// SPDX-License-Identifier: GPL-3.0-or-later
#include "security/layer.hpp"

namespace waybill::security {

std::string withOpensslErrors(const std::string &why) {
  const auto errors = takeOpensslErrors();
  return errors.empty() ? why : why + ": " + errors;
}

CmsPtr parseLayer(ByteView der, int type) {
  const auto *data = octets(der);
  const auto *end = data + der.size();
  CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &data, static_cast<long>(der.size())));
  if (!cms || data != end) {
    throw LayerRefused{withOpensslErrors("not a CMS structure, or more than one")};
  }
  if (OBJ_obj2nid(CMS_get0_type(cms.get())) != type) {
    throw LayerRefused{std::string("not the CMS type ") + OBJ_nid2ln(type)};
  }
  return cms;
}

} // namespace waybill::security
