#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""curl with messages written by hand: every way in which bytes can travel, over both SOAP versions and both ways of framing an HTTP body."""
import base64
import quopri
import re
import subprocess

from lib import PAYLOADS, SOAP12, Interop, element, envelope, main, multipart, run, same

LAB = None
XOP = "http://www.w3.org/2004/08/xop/include"
OCTETS = "Content-Type: application/octet-stream"
SOAP11_TYPE, SOAP12_TYPE = "text/xml; charset=utf-8", "application/soap+xml; charset=utf-8"


def related(kind="text/xml", start="root", boundary="waybill-test-boundary", more=""):
    return f'multipart/related; type="{kind}"; start="<{start}>"; boundary="{boundary}"{more}'


def receive(path, where):
    return f"<wb:Receive><wb:Data><wb:Path>{path}</wb:Path>{where}</wb:Data></wb:Receive>"


def curl(body, content_type, *options, expect=200):
    """(headers, body) of a POST by curl."""
    message = LAB.folder / "message"
    message.write_bytes(body)
    command = ["curl", "-sS", "--max-time", "60", "--cacert", LAB.certificate, "-i", "-H", f"Content-Type: {content_type}", *options]
    if not any(str(option).startswith(("-T", "--data", "-F")) for option in options):
        command += ["--data-binary", f"@{message}"]
    reply = run(*command, LAB.service_url()).stdout
    while reply.startswith(b"HTTP/1.1 100"):
        reply = reply.split(b"\r\n\r\n", 1)[1]
    head, content = reply.split(b"\r\n\r\n", 1)
    status = int(head.split(b" ", 2)[1])
    assert status == expect, f"{status} instead of {expect}: {reply[:2000]!r}"
    return head.decode(), content


def root(xml, kind="text/xml"):
    return f"Content-Type: {kind}; charset=utf-8\r\nContent-ID: <root>", xml


def swa_by_content_id():
    for name, content in PAYLOADS.items():
        path = f"/curl/swa/{name}"
        xml = envelope(receive(path, "<wb:Attachment>cid:one%40waybill</wb:Attachment>"), LAB.token("Receive"))
        curl(multipart([root(xml), (f"{OCTETS}\r\nContent-ID: <one@waybill>", content)]), related())
        LAB.expect_stored(path, content)


def swa_by_content_location():
    content = PAYLOADS["line-ends"]
    xml = envelope(receive("/curl/location", "<wb:Href>http://example.org/parts/one.bin</wb:Href>"), LAB.token("Receive"))
    curl(multipart([root(xml), (f"{OCTETS}\r\nContent-Location: http://example.org/parts/one.bin", content)]), related())
    LAB.expect_stored("/curl/location", content)


def href_by_content_id():
    content = PAYLOADS["boundaries"]
    xml = envelope(receive("/curl/href", "<wb:Href>cid:one@waybill</wb:Href>"), LAB.token("Receive"))
    curl(multipart([root(xml), (f"{OCTETS}\r\nContent-ID: <one@waybill>", content)]), related())
    LAB.expect_stored("/curl/href", content)


def mtom():
    for soap, kind in ((None, "text/xml"), (SOAP12, "application/soap+xml")):
        for name, content in PAYLOADS.items():
            path = f"/curl/mtom-{'12' if soap else '11'}/{name}"
            where = f'<wb:Content><xop:Include xmlns:xop="{XOP}" href="cid:one@waybill"/></wb:Content>'
            xml = envelope(receive(path, where), LAB.token("Receive"), **({"soap": soap} if soap else {}))
            head = f'Content-Type: application/xop+xml; charset=utf-8; type="{kind}"\r\nContent-ID: <root>\r\nContent-Transfer-Encoding: binary'
            curl(multipart([(head, xml), (f"{OCTETS}\r\nContent-ID: <one@waybill>\r\nContent-Transfer-Encoding: binary", content)]),
                 related("application/xop+xml", more=f'; start-info="{kind}"'))
            LAB.expect_stored(path, content)


def transfer_encodings():
    content = PAYLOADS["every-byte"]
    text = b"seven bits only\r\nin two lines\r\n"
    wrapped = base64.encodebytes(content).replace(b"\n", b"\r\n")
    quoted = quopri.encodestring(text + b"=\xff=", quotetabs=True).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    for encoding, sent, meant in (("base64", wrapped, content), ("BASE64", base64.b64encode(content), content), ("quoted-printable", quoted, quopri.decodestring(quoted)),
                                  ("7bit", text, text), ("8bit", "Grüße\r\n".encode(), "Grüße\r\n".encode()), ("binary", content, content)):
        path = f"/curl/encoded/{encoding}"
        xml = envelope(receive(path, "<wb:Attachment>cid:one</wb:Attachment>"), LAB.token("Receive"))
        curl(multipart([root(xml), (f"{OCTETS}\r\nContent-ID: <one>\r\nContent-Transfer-Encoding: {encoding}", sent)]), related())
        LAB.expect_stored(path, meant)


def root_part_last():
    xml = envelope("<wb:Receive>" + "".join(f"<wb:Data><wb:Path>/curl/last/{n}</wb:Path><wb:Attachment>cid:{n}</wb:Attachment></wb:Data>" for n in "abc") + "</wb:Receive>",
                   LAB.token("Receive"))
    parts = [(f"{OCTETS}\r\nContent-ID: <{n}>", PAYLOADS["block"] + n.encode()) for n in "cab"]
    curl(multipart([*parts, root(xml)]), related())
    for n in "abc":
        LAB.expect_stored(f"/curl/last/{n}", PAYLOADS["block"] + n.encode())


def preamble_epilogue_and_odd_boundaries():
    for number, boundary in enumerate(("=_?'()+,-./:= x", "a", "0" * 70, "----=_Part_0_1.2")):
        path = f"/curl/boundary/{number}"
        xml = envelope(receive(path, "<wb:Attachment>cid:one</wb:Attachment>"), LAB.token("Receive"))
        body = multipart([root(xml), (f"{OCTETS}\r\nContent-ID: <one>", PAYLOADS["boundaries"])], boundary)
        curl(b"Here is a MIME message.\r\n" + body + b"And that was it.\r\n", related(boundary=boundary))
        LAB.expect_stored(path, PAYLOADS["boundaries"])


def chunked_and_expect():
    for name, options in (("chunked", ["-H", "Transfer-Encoding: chunked"]), ("expect", ["-H", "Expect: 100-continue"]),
                          ("both", ["-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue"]), ("neither", ["-H", "Expect:"]), ("http10", ["--http1.0"])):
        content = PAYLOADS["block"] * 20
        path = f"/curl/framing/{name}"
        xml = envelope(receive(path, "<wb:Attachment>cid:one</wb:Attachment>"), LAB.token("Receive"))
        curl(multipart([root(xml), (f"{OCTETS}\r\nContent-ID: <one>", content)]), related(), *options)
        LAB.expect_stored(path, content)


def curls_own_form():
    """curl -F writes the parts itself; the Content-Type given for the whole makes it multipart/related."""
    xml, content = LAB.folder / "envelope.xml", LAB.folder / "content.bin"
    xml.write_bytes(envelope(receive("/curl/form", "<wb:Attachment>cid:one@waybill</wb:Attachment>"), LAB.token("Receive")))
    content.write_bytes(PAYLOADS["block"])
    curl(b"", 'multipart/related; type="text/xml"; start="<root@waybill>"', "-F", f'root=@{xml};type=text/xml;headers="Content-ID: <root@waybill>"', "-F",
         f'one=@{content};type=application/octet-stream;headers="Content-ID: <one@waybill>"')
    LAB.expect_stored("/curl/form", PAYLOADS["block"])


def inline():
    for soap, kind in ((None, SOAP11_TYPE), (SOAP12, SOAP12_TYPE)):
        path = f"/curl/inline-{'12' if soap else '11'}"
        text = base64.encodebytes(PAYLOADS["block"]).decode()
        curl(envelope(receive(path, f"<wb:Content>{text}</wb:Content>"), LAB.token("Receive"), **({"soap": soap} if soap else {})), kind)
        LAB.expect_stored(path, PAYLOADS["block"])


def parts_of(head, body):
    """The parts of a multipart reply, as (headers, content)."""
    boundary = re.search(r'(?im)^content-type:.*boundary="?([^";\r]+)', head).group(1).encode()
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    assert pieces[-1].startswith(b"--"), f"no closing boundary: {body[-200:]!r}"
    return [tuple(piece.removeprefix(b"\r\n").split(b"\r\n\r\n", 1)) for piece in pieces[1:-1]]


def copies():
    LAB.store("/curl/copied", PAYLOADS["line-ends"])
    for soap, kind in ((None, SOAP11_TYPE), (SOAP12, SOAP12_TYPE)):
        for attach, name in (("MTOM", "Include"), ("SwA", "Attachment")):
            request = f"<wb:Copy><wb:Data><wb:Path>/curl/copied</wb:Path></wb:Data><wb:Attach>{attach}</wb:Attach></wb:Copy>"
            head, body = curl(envelope(request, LAB.token("Copy"), **({"soap": soap} if soap else {})), kind)
            parts = parts_of(head, body)
            assert len(parts) == 2 and b"Envelope" in parts[0][1], f"{len(parts)} parts; the root is not the first"
            assert b"transfer-encoding" not in parts[1][0].lower(), parts[1][0]
            named = re.search(rb'href="cid:([^"]+)"' if name == "Include" else rb"Attachment[^>]*>cid:([^<]+)<", parts[0][1]).group(1)
            assert b"<" + named.replace(b"%40", b"@") + b">" in parts[1][0], (named, parts[1][0])
            same(parts[1][1], PAYLOADS["line-ends"], attach)


def a_request_with_attachments_is_answered_in_kind():
    """Without Attach: as the request came, else MTOM."""
    LAB.store("/curl/kind", b"in kind")
    request = "<wb:Copy><wb:Data><wb:Path>/curl/kind</wb:Path></wb:Data></wb:Copy>"
    assert b"Include" in curl(envelope(request, LAB.token("Copy")), SOAP11_TYPE)[1]
    assert b"Attachment" in curl(multipart([root(envelope(request, LAB.token("Copy")))]), related())[1]


def the_connection_is_closed_when_asked():
    head, _ = curl(envelope("<wb:List/>", LAB.token("List")), SOAP11_TYPE, "-H", "Connection: close")
    assert re.search(r"(?im)^connection: *close", head), head


def a_token_is_good_once():
    xml = envelope(receive("/curl/once", "<wb:Attachment>cid:one</wb:Attachment>"), LAB.token("Receive"))
    curl(multipart([root(xml), (f"{OCTETS}\r\nContent-ID: <one>", b"first")]), related())
    _, body = curl(multipart([root(xml.replace(b"/curl/once", b"/curl/twice")), (f"{OCTETS}\r\nContent-ID: <one>", b"second")]), related(), expect=500)
    assert element(body, "Code") == "TokenReplayed", body
    assert LAB.waybill("stat", "lab:/curl/twice", check=False).returncode == 1


def a_stranger_is_refused():
    xml = envelope(receive("/curl/strange", "<wb:Attachment>cid:one</wb:Attachment>"), LAB.stranger_token("Receive"))
    _, body = curl(multipart([root(xml), (f"{OCTETS}\r\nContent-ID: <one>", b"x")]), related(), expect=500)
    assert element(body, "Code") == "UntrustedKey", body
    assert LAB.waybill("stat", "lab:/curl/strange", check=False).returncode == 1


def a_refused_upload_is_not_read():
    """A gigabyte that a stranger wants to send: the answer comes long before its end."""
    head = envelope(receive("/curl/large", "<wb:Attachment>cid:one</wb:Attachment>"), LAB.stranger_token("Receive"))
    begin = multipart([root(head)], last=False) + b"--waybill-test-boundary\r\nContent-Type: application/octet-stream\r\nContent-ID: <one>\r\n\r\n"
    large = LAB.folder / "large"
    with open(large, "wb") as out:
        out.write(begin)
        out.truncate(1 << 30)
    done = subprocess.run(["curl", "-sS", "--max-time", "60", "--cacert", str(LAB.certificate), "-X", "POST", "-T", str(large), "-H", f"Content-Type: {related()}", "-o",
                           str(LAB.folder / "refusal"), "-w", "%{http_code} %{size_upload}", LAB.service_url()], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    status, sent = done.stdout.decode().split()
    assert status == "500" and int(sent) < 64 << 20, (done.stdout, done.stderr)
    assert element((LAB.folder / "refusal").read_bytes(), "Code") == "UntrustedKey"


if __name__ == "__main__":
    with Interop() as LAB:
        main(swa_by_content_id, swa_by_content_location, href_by_content_id, mtom, transfer_encodings, root_part_last, preamble_epilogue_and_odd_boundaries,
             chunked_and_expect, curls_own_form, inline, copies, a_request_with_attachments_is_answered_in_kind, the_connection_is_closed_when_asked,
             a_token_is_good_once, a_stranger_is_refused, a_refused_upload_is_not_read)
