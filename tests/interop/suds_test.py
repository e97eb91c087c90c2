#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""suds (Python), knowing nothing but the served WSDL. It reads no multipart replies and encodes no base64: data travels inline."""
import base64
import os

import suds
import suds.client
import suds.sax.element
from lib import PAYLOADS, Interop, main, same
from algorithms import publish

LAB = None


def client(token, service="data"):
    made = suds.client.Client(LAB.wsdl(service), cache=None)
    made.set_options(soapheaders=suds.sax.element.Element("Token", ns=("wb", "urn:waybill:1")).setText(token))
    return made


def fault_code(call):
    try:
        call()
    except suds.WebFault as fault:
        return str(fault.fault.detail.Fault.Code)
    raise AssertionError("no fault")


def data(made, **fields):
    value = made.factory.create("{urn:waybill:1}Data")
    for name, field in fields.items():
        setattr(value, name, field)
    return value


def inline_both_ways():
    for name, content in PAYLOADS.items():
        path = f"/suds/{name}"
        made = client(LAB.token("Receive"))
        carried = made.factory.create("{urn:waybill:1}Content")
        carried.value = base64.b64encode(content).decode()
        receipt = made.service.Receive([data(made, Path=path, Content=carried)])
        assert str(receipt[0].Path) == path and int(receipt[0].Size) == len(content), receipt
        LAB.expect_stored(path, content)
        made = client(LAB.token("Copy"))
        reply = made.service.Copy([data(made, Path=path)], "Inline")
        carried = reply[0].Content
        same(str(getattr(carried, "value", "")), content, path)


def the_instance_tells_who_it_is():
    told = suds.client.Client(LAB.wsdl("access"), cache=None).service.GetInstance()
    assert "BEGIN CERTIFICATE" in str(told), told


def an_algorithm_runs():
    made = client(LAB.token("Invoke"), "algorithms")
    given = made.factory.create("{urn:waybill:1}NamedData")
    given._name = "text"
    given.Content = made.factory.create("{urn:waybill:1}Content")
    given.Content.value = base64.b64encode(b"one\ntwo\n").decode()
    word = made.factory.create("{urn:waybill:1}Parameter")
    word._name, word.value = "word", "two"
    reply = made.service.Invoke("text/grep", [given], [word], None, "Inline")
    same(str(reply.Output[0].Content.value), b"two\n", "the lines found")


def a_token_is_good_once():
    made = client(LAB.token("List"))
    made.service.List("/")
    assert fault_code(lambda: made.service.List("/")) == "TokenReplayed"


def a_stranger_is_refused():
    made = client(LAB.stranger_token("List"))
    assert fault_code(lambda: made.service.List("/")) == "UntrustedKey"


if __name__ == "__main__":
    with Interop(grants="read,write,list,delete,invoke", prepare=publish) as LAB:
        # Python's TLS trusts what this names, beside nothing else.
        os.environ["SSL_CERT_FILE"] = str(LAB.certificate)
        main(inline_both_ways, the_instance_tells_who_it_is, an_algorithm_runs, a_token_is_good_once, a_stranger_is_refused)
