#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Addressing 1.0 over the wire, in SOAP 1.1 and 1.2: what replies and faults say, and where they go."""
import re

from lib import SOAP11, SOAP12, Interop, element, envelope, main

LAB = None
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


if __name__ == "__main__":
    with Interop() as LAB:
        main(replies_and_faults_are_addressed_alike, faults_go_to_fault_to, faults_about_headers_are_addressed_too, faults_about_actions_say_which,
             who_uses_no_addressing_gets_none)
