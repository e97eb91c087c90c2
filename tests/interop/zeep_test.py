#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""zeep (Python), knowing nothing but the served WSDL."""
import logging
import uuid

import requests
import zeep
from lib import PAYLOADS, Interop, main, same
from zeep.transports import Transport
from zeep.wsdl.attachments import MessagePack

LAB = None
PORTS = {"1.1": "DataManagerSoap11", "1.2": "DataManagerSoap12"}


class Complaints(logging.Handler):
    """What zeep warns of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage())


class AttachmentTransport(Transport):
    """zeep itself sends no attachments; this one sends `parts` (content id to bytes) along with the next envelope, as SwA."""
    parts = {}

    def post(self, address, message, headers):
        if not self.parts:
            return super().post(address, message, headers)
        boundary = uuid.uuid4().hex
        body = b"--" + boundary.encode() + b"\r\nContent-Type: " + headers["Content-Type"].encode() + b"\r\nContent-ID: <root>\r\n\r\n" + message + b"\r\n"
        for name, content in self.parts.items():
            body += f"--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-ID: <{name}>\r\n\r\n".encode() + content + b"\r\n"
        body += f"--{boundary}--\r\n".encode()
        self.parts = {}
        kind = headers["Content-Type"].split(";")[0]
        return super().post(address, body, {**headers, "Content-Type": f'multipart/related; type="{kind}"; start="<root>"; boundary="{boundary}"'})


def client(service="data"):
    session = requests.Session()
    session.verify, session.trust_env = str(LAB.certificate), False
    return zeep.Client(LAB.wsdl(service), transport=AttachmentTransport(session=session))


def ports(zeeps=None):
    zeeps = zeeps or client()
    return {version: zeeps.bind("DataManager", port) for version, port in PORTS.items()}


def header(token):
    return {"_soapheaders": {"Token": token}}


def fault_code(call):
    """The Code of the fault that a call must end in."""
    try:
        call()
    except zeep.exceptions.Fault as fault:
        assert fault.detail is not None, f"no detail in {fault.message}"
        return fault.detail.findtext("{urn:waybill:1}Fault/{urn:waybill:1}Code")
    raise AssertionError("no fault")


def reads_the_wsdl_without_a_complaint():
    complaints = Complaints()
    logger = logging.getLogger("zeep")
    logger.addHandler(complaints)
    try:
        for service in ("data", "algorithms", "access"):
            assert client(service).wsdl.services, f"no services in {service}"
    finally:
        logger.removeHandler(complaints)
    assert not complaints.said, complaints.said


def inline_both_ways():
    for version, port in ports().items():
        for name, content in PAYLOADS.items():
            path = f"/zeep/inline-{version}/{name}"
            receipt = port.Receive(Data=[{"Path": path, "Content": content}], **header(LAB.token("Receive")))
            assert receipt[0].Path == path and receipt[0].Size == len(content), receipt
            LAB.expect_stored(path, content)
            reply = port.Copy(Data=[{"Path": path}], Attach="Inline", **header(LAB.token("Copy")))
            same(reply[0].Content._value_1 or b"", content, path)


def mtom_reply():
    for version, port in ports().items():
        for name, content in PAYLOADS.items():
            LAB.store("/zeep/mtom", content)
            reply = port.Copy(Data=[{"Path": "/zeep/mtom"}], Attach="MTOM", **header(LAB.token("Copy")))
            same(reply[0].Content._value_1, content, f"{name} over SOAP {version}")


def swa_reply():
    for version, port in ports().items():
        for name, content in PAYLOADS.items():
            LAB.store("/zeep/swa", content)
            reply = port.Copy(Data=[{"Path": "/zeep/swa"}], Attach="SwA", **header(LAB.token("Copy")))
            assert isinstance(reply, MessagePack), f"{name} over SOAP {version}: no attachments, but {reply!r}"
            part = reply.get_by_content_id(f"<{reply.root[0].Attachment.removeprefix('cid:')}>")
            assert part, f"{reply.root[0].Attachment} is none of {[attachment.content_id for attachment in reply.attachments]}"
            same(part.content, content, f"{name} over SOAP {version}")


def swa_request():
    zeeps = client()
    for version, port in ports(zeeps).items():
        for name, content in PAYLOADS.items():
            path = f"/zeep/swa-{version}/{name}"
            zeeps.transport.parts = {"one@waybill": content, "unused": b"nobody asks for this"}
            port.Receive(Data=[{"Path": path, "Attachment": "cid:one@waybill"}], **header(LAB.token("Receive")))
            LAB.expect_stored(path, content)


def describe_list_delete():
    port = ports()["1.1"]
    LAB.store("/zeep/some/thing", b"0123456789")
    described = port.Describe(Data=[{"Path": "/zeep/some/thing"}], **header(LAB.token("Describe")))
    assert described[0].Size == 10 and described[0].Digest._value_1 == "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882", described
    listed = port.List(Prefix="/zeep/some", **header(LAB.token("List")))
    assert [data.Path for data in listed.Data] == ["/zeep/some/thing"], listed
    port.Delete(Data=[{"Path": "/zeep/some/thing"}], **header(LAB.token("Delete")))
    assert fault_code(lambda: port.Describe(Data=[{"Path": "/zeep/some/thing"}], **header(LAB.token("Describe")))) == "NoSuchData"


def the_instance_tells_who_it_is():
    answer = client("access").service.GetInstance()
    assert "BEGIN CERTIFICATE" in str(answer), answer


def a_token_is_good_once():
    for version, port in ports().items():
        token = LAB.token("List")
        port.List(Prefix="/", **header(token))
        assert fault_code(lambda: port.List(Prefix="/", **header(token))) == "TokenReplayed", version


def a_stranger_is_refused():
    for version, port in ports().items():
        assert fault_code(lambda: port.List(Prefix="/", **header(LAB.stranger_token("List")))) == "UntrustedKey", version
        assert fault_code(lambda: port.List(Prefix="/")) == "NoToken", version


if __name__ == "__main__":
    with Interop() as LAB:
        main(reads_the_wsdl_without_a_complaint, inline_both_ways, mtom_reply, swa_reply, swa_request, describe_list_delete, the_instance_tells_who_it_is,
             a_token_is_good_once, a_stranger_is_refused)
