#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every recorded request of a real client, byte for byte (tests/captures/): they call another service, so each must be understood as HTTP, as multipart and as SOAP,
and then be answered with a clean fault; and with our element names in them, they are ordinary calls."""
import re

from lib import HERE, Interop, main

LAB = None
CAPTURES = HERE.parent / "captures"
# Cut by its recorder in the middle of the last boundary: what it must get is a fault about the message, not one about the operation.
CUT = {"axis1.http"}


def send(request):
    """(status, headers, body) of one reply to bytes sent as they are."""
    with LAB.tls(30) as connection:
        connection.sendall(request)
        reply = b""
        while b"\r\n\r\n" not in reply:
            chunk = connection.recv(65536)
            assert chunk, f"the connection was closed after {reply!r}"
            reply += chunk
        head, body = reply.split(b"\r\n\r\n", 1)
        length = re.search(rb"(?im)^content-length: *(\d+)", head)
        while not complete(head, body, length):
            chunk = connection.recv(65536)
            if not chunk:
                break
            body += chunk
    return int(head.split(b" ", 2)[1]), head, body


def complete(head, body, length):
    if length:
        return len(body) >= int(length.group(1))
    return b"chunked" in head.lower() and body.endswith(b"0\r\n\r\n")


def to_our_endpoint(request):
    head, body = request.split(b"\r\n\r\n", 1)
    head = re.sub(rb"^POST \S+", b"POST /services/data", head)
    return re.sub(rb"(?im)^host:[^\r]*", b"Host: localhost:%d" % LAB.port, head), body


def each_gets_a_clean_fault():
    files = sorted(CAPTURES.glob("*.http"))
    assert len(files) >= 18, f"only {len(files)} captures in {CAPTURES}"
    for file in files:
        head, body = to_our_endpoint(file.read_bytes())
        status, reply_head, reply = send(head + b"\r\n\r\n" + body)
        soap12 = b"http://www.w3.org/2003/05/soap-envelope" in body
        assert status == (400 if soap12 else 500), f"{file.name}: {status} {reply[:500]!r}"
        wanted = b"application/soap+xml" if soap12 else b"text/xml"
        assert wanted in reply_head, f"{file.name}: {reply_head!r}"
        assert b"Fault" in reply and b"Envelope" in reply, f"{file.name}: {reply[:500]!r}"
        code = re.search(rb"Code>(InvalidMessage)<", reply)
        # One of WS-Addressing's own faults where the capture uses it (an action that we do not have, or two of them; a ReplyTo elsewhere).
        addressing = re.search(rb":(ActionNotSupported|OnlyAnonymousAddressSupported|InvalidCardinality|DestinationUnreachable|InvalidAddressingHeader|MessageAddressingHeaderRequired)<", reply)
        assert code or addressing, f"{file.name}: {reply[:1500]!r}"
        assert file.name in CUT or addressing or b"Put" in reply, f"{file.name}: the fault does not name the element: {reply[:1500]!r}"


def the_daemon_goes_on():
    assert LAB.get("/healthz")[0] == 200


if __name__ == "__main__":
    with Interop() as LAB:
        main(each_gets_a_clean_fault, the_daemon_goes_on)
