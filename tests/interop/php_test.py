#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""PHP's SoapClient, knowing nothing but the served WSDL (php/client.php makes the calls). It has no attachments: data travels inline."""
import base64
import json

from lib import HERE, PAYLOADS, Interop, main, run, same
from algorithms import publish

LAB = None


def call(operation, arguments, token=None, version="1.1", service="data"):
    """With a fresh token, unless one is given; an empty one is none."""
    task = {"wsdl": LAB.wsdl(service), "ca": str(LAB.certificate), "version": version, "operation": operation, "token": LAB.token(operation) if token is None else token,
            "arguments": arguments}
    return json.loads(run("php", HERE / "php/client.php", input=json.dumps(task).encode()).stdout)


def succeeded(outcome):
    assert "reply" in outcome, outcome
    return outcome["reply"]


def code(outcome):
    assert "fault" in outcome, f"no fault: {outcome}"
    return outcome["fault"]["detail"]["Fault"]["Code"]


def carried(content):
    """What php/client.php made of a Content element."""
    while isinstance(content, dict) and "base64" not in content:
        content = content.get("_")
    return content["base64"] if content else ""


def inline_both_ways():
    for version in ("1.1", "1.2"):
        for name, content in PAYLOADS.items():
            path = f"/php/{version}/{name}"
            sent = {"Data": [{"Path": path, "Content": {"base64": base64.b64encode(content).decode()}}]}
            receipt = succeeded(call("Receive", sent, version=version))["Data"][0]
            assert receipt["Path"] == path and int(receipt["Size"]) == len(content), receipt
            LAB.expect_stored(path, content)
            reply = succeeded(call("Copy", {"Data": [{"Path": path}], "Attach": "Inline"}, version=version))["Data"][0]
            same(carried(reply.get("Content")), content, path)


def the_instance_tells_who_it_is():
    for version in ("1.1", "1.2"):
        told = succeeded(call("GetInstance", {}, token="", version=version, service="access"))
        assert "BEGIN CERTIFICATE" in json.dumps(told), told


def an_algorithm_runs():
    for version in ("1.1", "1.2"):
        text = base64.b64encode(b"one\ntwo\n").decode()
        sent = {"Algorithm": "text/grep", "Input": [{"name": "text", "Content": {"base64": text}}], "Parameter": [{"name": "word", "_": "two"}], "Attach": "Inline"}
        made = succeeded(call("Invoke", sent, version=version, service="algorithms"))
        output = made["Output"][0] if isinstance(made["Output"], list) else made["Output"]
        same(carried(output["Content"]), b"two\n", version)


def a_token_is_good_once():
    for version in ("1.1", "1.2"):
        token = LAB.token("List")
        succeeded(call("List", {"Prefix": "/"}, token, version))
        assert code(call("List", {"Prefix": "/"}, token, version)) == "TokenReplayed"


def a_stranger_is_refused():
    for version in ("1.1", "1.2"):
        assert code(call("List", {"Prefix": "/"}, LAB.stranger_token("List"), version)) == "UntrustedKey"


if __name__ == "__main__":
    with Interop(grants="read,write,list,delete,invoke", prepare=publish) as LAB:
        main(inline_both_ways, the_instance_tells_who_it_is, an_algorithm_runs, a_token_is_good_once, a_stranger_is_refused)
