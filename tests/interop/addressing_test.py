#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Addressing 1.0 over the wire, in SOAP 1.1 and 1.2: what replies and faults say, and where they go.

The functions w3c_NN are the cases test11NN (SOAP 1.1) and test12NN (SOAP 1.2) of the W3C's test suite; docs/ws-addressing.md lists them. Its echo is
our List, its empty echo, which is a fault, our List with a Limit of 0, and its notify, which has no reply, our ReceiveResponse."""
import http.server
import queue
import re
import socket
import ssl
import tempfile
import threading

from lxml import etree

from lib import SOAP11, SOAP12, WSA, Interop, element, envelope, main, run

LAB = None
ELSEWHERE = None
ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous"
NONE = "http://www.w3.org/2005/08/addressing/none"
FAULT_ACTION = "http://www.w3.org/2005/08/addressing/fault"
ID = "<wsa:MessageID>urn:uuid:over-the-wire</wsa:MessageID>"
LIST = "<wsa:Action>urn:waybill:1/List</wsa:Action>"


def endpoint(name, address=ANONYMOUS, key="mine"):
    parameters = f'<wsa:ReferenceParameters><k:K xmlns:k="urn:k" a="1 &amp; 2">{key}</k:K></wsa:ReferenceParameters>'
    return f"<wsa:{name}><wsa:Address>{address}</wsa:Address>{parameters}</wsa:{name}>"


def to():
    return f"<wsa:To>{LAB.service_url()}</wsa:To>"


def send(soap, headers, body="<wb:List/>", token=None):
    kind = "text/xml" if soap == SOAP11 else "application/soap+xml"
    return LAB.post(envelope(body, token, headers, soap), f"{kind}; charset=utf-8")


def expect(reply, soap, code, action, detail=None):
    """A fault with that code and action that answers the message ID, at the anonymous endpoint."""
    status, headers, body = reply
    assert status == (500 if soap == SOAP11 else 400), (status, body)
    assert code.encode() in body, body
    assert element(body, "RelatesTo") == "urn:uuid:over-the-wire", body
    assert element(body, "To") == ANONYMOUS, body
    assert element(body, "Action") == action, body
    assert element(body, "MessageID").startswith("urn:uuid:"), body
    assert action in (headers["SOAPAction"] if soap == SOAP11 else headers["Content-Type"]), headers
    if detail:
        # SOAP 1.1 has it in the header, SOAP 1.2 in the fault.
        place = body.split(b"Body>")[0 if soap == SOAP11 else 1]
        assert detail.encode() in place, body


def expect_echoed(body, key):
    header = body.split(b"Body>")[0]
    found = re.search(rb"<k:K [^>]*>([^<]*)</k:K>", header)
    assert found and found[1] == key.encode() and b'IsReferenceParameter="true"' in found[0] and b"1 &amp; 2" in found[0], body


def both(test):
    def run():
        for soap in (SOAP11, SOAP12):
            test(soap)
    run.__name__ = test.__name__
    return run


@both
def replies_and_faults_are_addressed_alike(soap):
    headers = to() + ID + LIST + endpoint("ReplyTo")
    status, _, reply = send(soap, headers, token=LAB.token("List"))
    assert status == 200 and element(reply, "RelatesTo") == "urn:uuid:over-the-wire" and element(reply, "To") == ANONYMOUS, reply
    assert element(reply, "Action") == "urn:waybill:1/ListResponse", reply
    expect_echoed(reply, "mine")
    reply = send(soap, headers)
    expect(reply, soap, "NoToken", "urn:waybill:1/Fault")
    expect_echoed(reply[2], "mine")


@both
def faults_go_to_fault_to(soap):
    reply = send(soap, ID + LIST + endpoint("ReplyTo", key="replies") + endpoint("FaultTo", key="faults"))
    expect(reply, soap, "NoToken", "urn:waybill:1/Fault")
    expect_echoed(reply[2], "faults")
    assert send(soap, ID + LIST + endpoint("FaultTo", NONE))[::2] == (202, b"")
    assert send(soap, to() + to() + endpoint("FaultTo", NONE))[::2] == (202, b"")


@both
def faults_about_headers_are_addressed_too(soap):
    reply = send(soap, to() + to() + LIST + ID + endpoint("ReplyTo"))
    expect(reply, soap, "InvalidCardinality", FAULT_ACTION, "ProblemHeaderQName")
    expect_echoed(reply[2], "mine")
    status, _, body = send(soap, LIST)
    assert status in (400, 500) and b"MessageAddressingHeaderRequired" in body and b"wsa:MessageID<" in body, body
    reply = send(soap, ID)
    expect(reply, soap, "MessageAddressingHeaderRequired", FAULT_ACTION, "wsa:Action<")


@both
def faults_about_actions_say_which(soap):
    unknown = "<wsa:Action>urn:waybill:1/Fly</wsa:Action>"
    for body in ("<wb:List/>", "<wb:Fly/>"):
        expect(send(soap, ID + unknown, body), soap, "ActionNotSupported", FAULT_ACTION, "<wsa:Action>urn:waybill:1/Fly</wsa:Action></wsa:ProblemAction>")
    expect(send(soap, ID + "<wsa:Action>urn:waybill:1/Copy</wsa:Action>"), soap, "ActionMismatch", FAULT_ACTION, "wsa:Action</wsa:ProblemHeaderQName>")


@both
def who_uses_no_addressing_gets_none(soap):
    body = send(soap, "")[2]
    assert b"NoToken" in body and b"Header" not in body, body


class Elsewhere:
    """An HTTPS endpoint that is no instance: it takes down what is posted to it, and answers 202."""

    def __init__(self, folder):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=elsewhere", "-addext",
            "subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/ca.pem")
        self.taken = taken = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = b""
                if "chunked" in self.headers.get("Transfer-Encoding", ""):
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                taken.put((self.path, dict(self.headers), body))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/ca.pem", f"{folder}/key.pem")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}/taken"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        """(path, headers, the envelope) of the next message."""
        path, headers, body = self.taken.get(timeout=30)
        return path, headers, body


ECHO = "<wb:List/>"
EMPTY_ECHO = "<wb:List><wb:Limit>0</wb:Limit></wb:List>"
NOTIFY = "<wb:ReceiveResponse><wb:Data><wb:Id>https://c.test/data/1</wb:Id></wb:Data></wb:ReceiveResponse>"
KEY, FAULT_KEY = "Key#123456789", "Fault#123456789"


def echo(soap, headers, body=ECHO):
    return send(soap, headers, body, LAB.token("List"))


def key_of(value):
    return f'<c:CustomerKey xmlns:c="http://example.org/customer">{value}</c:CustomerKey>'


def reference(name, address, key=None, attributes=""):
    parameters = f"<wsa:ReferenceParameters>{key_of(key)}</wsa:ReferenceParameters>" if key else ""
    return f"<wsa:{name}{attributes}><wsa:Address>{address}</wsa:Address>{parameters}</wsa:{name}>"


def header(message, name, space=WSA):
    """The one header block of that name, which must be there once."""
    found = etree.fromstring(message).findall(f"{{*}}Header/{{{space}}}{name}")
    assert len(found) == 1, (name, message)
    return found[0]


def qname(node):
    """What a QName in a text stands for."""
    prefix, _, local = node.text.strip().rpartition(":")
    return f"{{{node.nsmap[prefix or None]}}}{local}"


def expect_related(message, action, key=None):
    assert header(message, "Action").text == action, message
    relations = etree.fromstring(message).findall(f"{{*}}Header/{{{WSA}}}RelatesTo")
    types = [relation.get("RelationshipType") for relation in relations]
    # As the suite asks: one of them names the message, and if any has a type, one is of the reply's.
    assert "urn:uuid:over-the-wire" in [relation.text for relation in relations], message
    assert types == [None] or types.count(f"{WSA}/reply") == 1, message
    if key:
        echoed = header(message, "CustomerKey", "http://example.org/customer")
        assert echoed.text == key and echoed.get(f"{{{WSA}}}IsReferenceParameter") == "true", message


def expect_echo(reply, key=None):
    status, _, body = reply
    assert status == 200 and b"ListResponse" in body, (status, body)
    expect_related(body, "urn:waybill:1/ListResponse", key)


def expect_own_fault(reply, soap, key):
    status, _, body = reply
    assert status == (500 if soap == SOAP11 else 400) and b"BadParameter" in body, (status, body)
    expect_related(body, "urn:waybill:1/Fault", key)


def expect_wsa_fault(reply, soap, codes, problem):
    """A fault of WS-Addressing's own, its codes from the outermost, that names the header concerned."""
    status, _, body = reply
    assert status == (500 if soap == SOAP11 else 400), (status, body)
    expect_related(body, FAULT_ACTION)
    envelope = etree.fromstring(body)
    if soap == SOAP11:
        assert qname(envelope.find("{*}Body/{*}Fault/faultcode")) in [f"{{{WSA}}}{code}" for code in codes], body
        named = envelope.find(f"{{*}}Header/{{{WSA}}}FaultDetail/{{{WSA}}}ProblemHeaderQName")
    else:
        found = [qname(value) for value in envelope.find("{*}Body/{*}Fault/{*}Code").iter(f"{{{SOAP12}}}Value")]
        assert found == [f"{{{SOAP12}}}Sender", *(f"{{{WSA}}}{code}" for code in codes)], body
        named = envelope.find(f"{{*}}Body/{{*}}Fault/{{*}}Detail/{{{WSA}}}ProblemHeaderQName")
    assert qname(named) == f"{{{WSA}}}{problem}", body


def expect_nothing(reply):
    assert reply[::2] == (202, b""), reply


@both
def w3c_00_to_08(soap):
    """One-way: 202 and nothing else, whatever else is given or left out."""
    action = "<wsa:Action>urn:waybill:1/ReceiveResponse</wsa:Action>"
    none = f"<wsa:Address>{NONE}</wsa:Address>"
    parameters = f"<wsa:ReferenceParameters>{key_of(KEY)}</wsa:ReferenceParameters>"
    extended = parameters.replace("Parameters>", 'Parameters c:level="premium" xmlns:c="http://example.org/customer">', 1)
    metadata = ('<wsa:Metadata><definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>'
                '<description xmlns="http://www.w3.org/2006/01/wsdl"/></wsa:Metadata>')
    odd = '<wsa:Metadata c:total="1" xmlns:c="http://example.org/customer"><c:extraStuff/></wsa:Metadata><c:Metadata xmlns:c="http://example.org/customer"/>'
    for more in ("", ID, reference("ReplyTo", NONE), reference("FaultTo", NONE), reference("ReplyTo", NONE) + reference("FaultTo", NONE),
                 f"<wsa:ReplyTo>{none}{parameters}</wsa:ReplyTo>", f"<wsa:ReplyTo>{none}{metadata}</wsa:ReplyTo>",
                 f"<wsa:ReplyTo>{none}{extended}{odd}</wsa:ReplyTo>"):
        more = more.replace("over-the-wire", f"one-way-{11 if soap == SOAP11 else 12}")
        expect_nothing(send(soap, action + more, NOTIFY, LAB.token("Receive")))


@both
def w3c_30(soap):
    expect_echo(echo(soap, ID + LIST))


@both
def w3c_31(soap):
    expect_echo(echo(soap, ID + LIST + reference("ReplyTo", ANONYMOUS)))


@both
def w3c_32(soap):
    expect_echo(echo(soap, ID + LIST + reference("ReplyTo", ANONYMOUS, KEY)), KEY)


@both
def w3c_33(soap):
    headers = ID + LIST + reference("ReplyTo", ANONYMOUS, KEY) + reference("FaultTo", ANONYMOUS, FAULT_KEY)
    expect_own_fault(echo(soap, headers, EMPTY_ECHO), soap, FAULT_KEY)


@both
def w3c_34(soap):
    expect_own_fault(echo(soap, ID + LIST + reference("ReplyTo", ANONYMOUS, KEY), EMPTY_ECHO), soap, KEY)


@both
def w3c_35(soap):
    headers = ID + LIST + reference("ReplyTo", ELSEWHERE.url, KEY) + reference("FaultTo", ANONYMOUS, FAULT_KEY)
    expect_own_fault(echo(soap, headers, EMPTY_ECHO), soap, FAULT_KEY)


@both
def w3c_36(soap):
    expect_nothing(echo(soap, ID + LIST + reference("ReplyTo", NONE)))


def w3c_37():
    role = f' s:role="{SOAP12}/role/next"'
    expect_nothing(echo(SOAP12, ID + LIST + reference("ReplyTo", NONE, attributes=role)))


@both
def w3c_38(soap):
    odd = '<a:alertcontrol xmlns:a="http://example.org/alertcontrol" s:mustUnderstand="1"/>'
    status, _, body = echo(soap, ID + LIST + reference("FaultTo", NONE) + odd)
    assert status == 500, (status, body)
    envelope = etree.fromstring(body)
    code = envelope.find("{*}Body/{*}Fault/faultcode") if soap == SOAP11 else envelope.find("{*}Body/{*}Fault/{*}Code/{*}Value")
    assert qname(code) == f"{{{soap}}}MustUnderstand", body
    if soap == SOAP12:
        prefix, local = header(body, "NotUnderstood", SOAP12).get("qname").split(":")
        assert (header(body, "NotUnderstood", SOAP12).nsmap[prefix], local) == ("http://example.org/alertcontrol", "alertcontrol"), body


@both
def w3c_40_to_47(soap):
    """Headers that are there twice, and the one that is missing."""
    twice = {"To": to() + to() + ID + LIST, "ReplyTo": ID + LIST + reference("ReplyTo", ANONYMOUS) * 2, "FaultTo": ID + LIST + reference("FaultTo", ANONYMOUS) * 2,
             "Action": ID + LIST + LIST, "MessageID": ID + LIST + "<wsa:MessageID>urn:uuid:second</wsa:MessageID>"}
    for problem, headers in twice.items():
        expect_wsa_fault(echo(soap, headers), soap, ["InvalidAddressingHeader", "InvalidCardinality"], problem)


@both
def w3c_without_action(soap):
    """test1147 and test1248."""
    expect_wsa_fault(echo(soap, ID), soap, ["MessageAddressingHeaderRequired"], "Action")


@both
def w3c_49(soap):
    expect_nothing(echo(soap, to() + to() + ID + LIST + reference("ReplyTo", NONE)))


def fresh(headers, name):
    """A MessageID begins one transfer."""
    return headers.replace("over-the-wire", name)


def expect_elsewhere(soap, name, key=None):
    path, headers, body = ELSEWHERE.next()
    assert path == "/taken" and (b"xml" in headers["Content-Type"].encode()) and etree.fromstring(body).tag == f"{{{soap}}}Envelope", (path, headers, body)
    assert header(body, "To").text == ELSEWHERE.url, body
    expect_related(body.replace(name.encode(), b"over-the-wire"), "urn:waybill:1/ListResponse", key)


@both
def w3c_50(soap):
    name = f"w3c-50-{len(soap)}"
    expect_nothing(echo(soap, fresh(ID, name) + LIST + reference("ReplyTo", ELSEWHERE.url, KEY)))
    expect_elsewhere(soap, name, KEY)


def w3c_51():
    ours = reference("ReplyTo", ELSEWHERE.url)
    theirs = reference("ReplyTo", "https://127.0.0.1:1/", attributes=f' s:role="{SOAP12}/role/none"')
    for number, headers in enumerate((ours + theirs, theirs + ours)):
        expect_nothing(echo(SOAP12, fresh(ID, f"w3c-51-{number}") + LIST + headers))
        expect_elsewhere(SOAP12, f"w3c-51-{number}")


@both
def w3c_52(soap):
    name = f"w3c-52-{len(soap)}"
    headers = LIST + reference("ReplyTo", ELSEWHERE.url)
    expect_nothing(echo(soap, fresh(ID, name) + headers + reference("FaultTo", NONE), EMPTY_ECHO))
    expect_nothing(echo(soap, fresh(ID, name + "-next") + headers))
    expect_elsewhere(soap, name + "-next")  # so nothing came before it


@both
def w3c_60(soap):
    """What cannot be delivered is told to the fault endpoint: with the code of ours that says so."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        unreachable = f"https://127.0.0.1:{closed.getsockname()[1]}/unreachable"
        name = f"w3c-60-{len(soap)}"
        expect_nothing(echo(soap, fresh(ID, name) + LIST + reference("ReplyTo", unreachable) + reference("FaultTo", ELSEWHERE.url, FAULT_KEY)))
        _, _, body = ELSEWHERE.next()
    expect_related(body.replace(name.encode(), b"over-the-wire"), "urn:waybill:1/Fault", FAULT_KEY)
    assert b"DeliveryFailed" in body and unreachable.encode() in body, body


@both
def w3c_70(soap):
    expect_echo(echo(soap, ID + LIST + reference("From", "http://example.org/node/A", attributes=' s:mustUnderstand="1"')))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as keys:
        ELSEWHERE = Elsewhere(keys)
        rules = f'[egress]\nallow = ["127.0.0.1"]\nca_file = "{keys}/ca.pem"\n[transfers]\ndeadline = 2\n'
        with Interop(rules) as LAB:
            main(replies_and_faults_are_addressed_alike, faults_go_to_fault_to, faults_about_headers_are_addressed_too, faults_about_actions_say_which,
                 who_uses_no_addressing_gets_none, w3c_00_to_08, w3c_30, w3c_31, w3c_32, w3c_33, w3c_34, w3c_35, w3c_36, w3c_37, w3c_38, w3c_40_to_47,
                 w3c_without_action, w3c_49, w3c_50, w3c_51, w3c_52, w3c_60, w3c_70)
