// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace waybill::transport {

/// Lets the reply of a server be read that answers in the middle of an upload and closes the connection.
///
/// Such a server's reset makes our next write fail, and libcurl would then give up with "send failure" although the
/// answer that explains it lies in the receive buffer (Linux keeps it there). From this call on, a write that fails for
/// good on the present connection of `easy` (a CURL *) looks to libcurl as if the socket were full until all that the
/// peer has sent is read. Cheap to call again and again; does nothing when libcurl has another TLS library than
/// OpenSSL.
void keepReplyReadable(void *easy) noexcept;

} // namespace waybill::transport
