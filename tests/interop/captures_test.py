#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every recorded request of a real client, byte for byte (tests/captures/): they call another service, so each must be understood as HTTP, as multipart and as SOAP,
and then be answered with a clean fault; and with our names in them, they are ordinary calls.

For the latter, Put becomes Receive: `path`, `data` and `ref` become Path, Content and Attachment of a Data each, a token is added, and actions and addresses are
ours. Envelope, prefixes, headers and multipart framing stay as they are, with what their callers wrote by hand into wsa: headers made right: a ReplyTo elsewhere
becomes anonymous (it is refused, which the first test shows), Action and MessageID are added where addressing is used without them, and zeep's second set of
headers is left out. axis1.http cannot succeed: it is cut."""
import re

from lib import HERE, Interop, element, main

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


# What the parts of each request carry, in the order in which its body names them. SOAP::Lite's body names none.
SENT = {
    "axis1_full": [b"AAAA", b"AXISATT"], "curl_swa": [b"CURL\r\nATT"], "jaxws_ma_s11": [b"AAAAmtom"], "jaxws_mas_s12": [b"AAAAmtom", b"BBBBswaref"],
    "jaxws_s_s11n": [b"AAAAmtom", b"BBBBswaref"], "nodesoap_s11": [b"NODEATT"], "nodesoap_s12": [b"NODEATT"], "php_11": [b"AAAA"], "php_12": [b"AAAA"],
    "soaplite_11": [b"PERLATT"], "soaplite_12": [b"PERLATT"], "strongsoap_s11": [b"NODEATT"], "strongsoap_s12": [b"NODEATT"], "suds_s11": [b"AAA"],
    "suds_s12": [b"AAA"], "zeep_s11": [b"AAAA"], "zeep_s12": [b"AAAA"],
}
WSA = b"http://www.w3.org/2005/08/addressing"
ACTION = b"urn:waybill:1/Receive"


def path_of(name, number):
    return f"/captures/{name}/{number}"


def our_body(body, name):
    """With the element Receive in the place of Put."""
    put = re.search(rb"<((?:\w+:)?)Put\b([^>]*)>(.*)</\1Put>", body, re.S)
    prefix, attributes, inside = put.groups()
    carried = re.findall(rb"<(?:\w+:)?(data|ref)\b([^>]*)>(.*?)</(?:\w+:)?\1>", inside, re.S) or [(b"ref", b"", b"cid:att@perl")]
    data = b""
    for number, (kind, more, content) in enumerate(carried):
        field = {b"data": b"Content", b"ref": b"Attachment"}[kind]
        data += b"<%bData><%bPath>%b</%bPath><%b%b%b>%b</%b%b></%bData>" % (
            prefix, prefix, path_of(name, number).encode(), prefix, prefix, field, more, content, prefix, field, prefix)
    return body[:put.start()] + b"<%bReceive%b>%b</%bReceive>" % (prefix, attributes, data, prefix) + body[put.end():]


def our_headers(body, token):
    """With true addressing headers and a token."""
    body = re.sub(rb"(Address>)http://x/y?(<)", rb"\1" + WSA + rb"/anonymous\2", body)
    body = body.replace(b"http://127.0.0.1:18999/", LAB.service_url().encode())
    body = re.sub(rb"(<wsa:Action>.*?</wsa:To>)<wsa:Action>.*?</wsa:To>", rb"\1", body, flags=re.S)
    added = b'<wb:Token xmlns:wb="urn:waybill:1">%b</wb:Token>' % token.encode()
    for name, value in ((b"Action", ACTION), (b"MessageID", b"urn:x:added")):
        if WSA in body and not re.search(rb"<(?:\w+:)?" + name + rb"[ >]", body):
            added += b'<a:%b xmlns:a="%b">%b</a:%b>' % (name, WSA, value, name)
    header = re.search(rb"<((?:[\w-]+:)?)Header\b([^>]*?)(/?)>", body)
    if not header:
        return re.sub(rb"<((?:[\w-]+:)?)Body>", lambda found: b"<%bHeader>%b</%bHeader>%b" % (found[1], added, found[1], found[0]), body)
    start = b"<%bHeader%b>%b" % (header[1], header[2], added) + (b"</%bHeader>" % header[1] if header[3] else b"")
    return body[:header.start()] + start + body[header.end():]


def as_our_call(file):
    head, body = to_our_endpoint(file.read_bytes())
    before = len(body)
    head, body = head.replace(b"urn:t:Put", ACTION), body.replace(b"urn:t:Put", ACTION).replace(b'"urn:t"', b'"urn:waybill:1"')
    body = our_headers(our_body(body, file.stem), LAB.token("Receive"))

    def length(found):
        # Axis does not count all that it sends: it has to be short by as much as it was.
        return found[1] + b"%d" % (int(found[2]) + len(body) - before)
    return re.sub(rb"(?im)^(content-length: *)(\d+)", length, head) + b"\r\n\r\n" + body


def with_our_names_each_is_an_ordinary_call():
    files = sorted(CAPTURES.glob("*.http"))
    assert {file.stem for file in files} == set(SENT) | {name.removesuffix(".http") for name in CUT}
    for file in files:
        request = as_our_call(file)
        status, _, reply = send(request)
        if file.name in CUT:
            assert status == 500 and b"InvalidMessage" in reply and LAB.paths(f"/captures/{file.stem}") == [], f"{file.name}: {status} {reply[:1500]!r}"
            continue
        assert status == 200 and b"ReceiveResponse" in reply, f"{file.name}: {status} {reply[:1500]!r}\n{request!r}"
        if WSA in request:
            sent = re.search(rb"MessageID[^>]*>([^<]*)<", request)[1].decode()
            assert element(reply, "RelatesTo") == sent, f"{file.name}: {reply[:1500]!r}"
        for number, content in enumerate(SENT[file.stem]):
            LAB.expect_stored(path_of(file.stem, number), content)


def the_daemon_goes_on():
    assert LAB.get("/healthz")[0] == 200


if __name__ == "__main__":
    # The rest of the cut one never comes.
    with Interop("[server]\nstall_deadline = 5\n") as LAB:
        main(each_gets_a_clean_fault, with_our_names_each_is_an_ordinary_call, the_daemon_goes_on)
