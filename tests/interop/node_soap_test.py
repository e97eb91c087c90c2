#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""node's `soap`, knowing nothing but the served WSDL (node/client.js makes the calls)."""
import base64
import json
import os

from lib import HERE, PAYLOADS, Interop, main, run, same

LAB = None
PORTS = ("DataManagerSoap11", "DataManagerSoap12")


def call(operation, arguments, token=None, port=PORTS[0], attachments=None, service="data"):
    """With a fresh token, unless one is given; an empty one is none."""
    task = {"wsdl": LAB.wsdl(service), "port": port, "operation": operation, "token": LAB.token(operation) if token is None else token, "arguments": arguments,
            "attachments": {name: base64.b64encode(content).decode() for name, content in (attachments or {}).items()}}
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(LAB.certificate)}
    return json.loads(run("node", HERE / "node/client.js", input=json.dumps(task).encode(), env=environment).stdout)


def succeeded(outcome):
    assert "reply" in outcome, outcome
    return outcome["reply"]


def first(value):
    return value[0] if isinstance(value, list) else value


def code(outcome):
    fault = outcome.get("fault")
    assert isinstance(fault, dict), f"no fault: {outcome}"
    detail = fault.get("detail") or fault.get("Detail")
    return detail["Fault"]["Code"]


def text(value):
    """The text of a simple element, with attributes or without."""
    return value.get("$value", "") if isinstance(value, dict) else value or ""


def inline_both_ways():
    for port in PORTS:
        for name, content in PAYLOADS.items():
            path = f"/node/{port}/{name}"
            receipt = first(succeeded(call("Receive", {"Data": [{"Path": path, "Content": base64.b64encode(content).decode()}]}, port=port))["Data"])
            assert receipt["Path"] == path, receipt
            LAB.expect_stored(path, content)
            reply = first(succeeded(call("Copy", {"Data": [{"Path": path}], "Attach": "Inline"}, port=port))["Data"])
            same(text(reply.get("Content")), content, path)


def attachment_out():
    for port in PORTS:
        for name in ("every-byte", "line-ends", "block"):
            path = f"/node/attached-{port}/{name}"
            succeeded(call("Receive", {"Data": [{"Path": path, "Attachment": "cid:one@waybill"}]}, port=port, attachments={"one@waybill": PAYLOADS[name]}))
            LAB.expect_stored(path, PAYLOADS[name])


def attachment_in():
    for attach in ("SwA", "MTOM"):
        for name in ("every-byte", "line-ends", "block"):
            LAB.store("/node/there", PAYLOADS[name])
            outcome = call("Copy", {"Data": [{"Path": "/node/there"}], "Attach": attach})
            succeeded(outcome)
            assert len(outcome["attachments"]) == 1, f"{attach}: {len(outcome['attachments'])} attachments"
            same(outcome["attachments"][0]["body"], PAYLOADS[name], f"{name} by {attach}")


def the_instance_tells_who_it_is():
    for port in ("AccessServiceSoap11", "AccessServiceSoap12"):
        told = succeeded(call("GetInstance", {}, token="", port=port, service="access"))
        assert "BEGIN CERTIFICATE" in json.dumps(told), told


def a_token_is_good_once():
    for port in PORTS:
        token = LAB.token("List")
        succeeded(call("List", {"Prefix": "/"}, token, port))
        assert code(call("List", {"Prefix": "/"}, token, port)) == "TokenReplayed"


def a_stranger_is_refused():
    assert code(call("List", {"Prefix": "/"}, LAB.stranger_token("List"))) == "UntrustedKey"


if __name__ == "__main__":
    with Interop() as LAB:
        main(inline_both_ways, attachment_out, attachment_in, the_instance_tells_who_it_is, a_token_is_good_once, a_stranger_is_refused)
