#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stock gSOAP client: wsdl2h and soapcpp2 read the served WSDL here and now, and gsoap/client.cpp uses what they wrote."""
import re

from lib import HERE, PAYLOADS, Interop, main, run, same

LAB = None
CLIENT = None
SAID = {}
# The bindings for SOAP 1.1 and 1.2 have the same operations, so that one proxy class serves both.
HARMLESS = re.compile(r"Warning: 2 service bindings found, but collected as one service ")
IMPORT = "/usr/share/gsoap/import"


def read_wsdl(service):
    """From the WSDL at its URL to proxy classes, in a folder; with what wsdl2h said. It asks for no certificate that it knows."""
    folder = LAB.folder / "gsoap" / service
    folder.mkdir(parents=True)
    generated = run("wsdl2h", "-o", f"{service}.h", LAB.wsdl(service), cwd=folder)
    run("soapcpp2", "-j", "-C", "-x", "-w", "-L", "-I", IMPORT, f"{service}.h", cwd=folder)
    return folder, generated.stderr.decode()


def build_client(folder):
    flags = run("pkg-config", "--cflags", "gsoapssl++").stdout.decode().split()
    run("g++", "-std=c++17", "-O0", "-w", *flags, "-I", folder, HERE / "gsoap/client.cpp", "soapC.cpp", "soapDataManagerSoap11BindingProxy.cpp", "-o", "client", "-lgsoapssl++",
        "-lssl", "-lcrypto", "-lz", cwd=folder)
    return folder / "client"


def call(*arguments, token=None, operation=None):
    done = run(CLIENT, LAB.service_url(), LAB.certificate, token or LAB.token(operation), *arguments, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def reads_the_wsdl_without_a_complaint():
    for service, said in SAID.items():
        assert f"Done reading '{LAB.wsdl(service)}'" in said, said
        complaints = [line for line in said.splitlines() if re.search("error|warning", line, re.IGNORECASE) and not HARMLESS.match(line)]
        assert not complaints, (service, complaints)


def proxies_are_complete():
    for service, operations in (("data", "Copy Receive Delete List Describe"), ("algorithms", "ListAlgorithms DescribeAlgorithm Invoke GetJob ListJobs CancelJob"),
                                ("access", "GetInstance TrustKey ListKeys RevokeKey Grant Revoke ListGrants")):
        proxies = "".join(file.read_text() for file in (LAB.folder / "gsoap" / service).glob("soap*Soap11BindingProxy.h"))
        missing = [operation for operation in operations.split() if f" int {operation}(" not in proxies]
        assert not missing, (service, missing)


def both_ways():
    source, target = LAB.folder / "in", LAB.folder / "out"
    for carried, attach in (("inline", "Inline"), ("mtom", "MTOM")):
        for name, content in PAYLOADS.items():
            if not content:
                continue  # to gSOAP, no bytes are no element
            path = f"/gsoap/{carried}/{name}"
            source.write_bytes(content)
            code, said, errors = call("receive", path, source, carried, operation="Receive")
            assert code == 0 and said == f"stored {path} {len(content)}\n", (name, carried, said, errors)
            LAB.expect_stored(path, content)
            code, said, errors = call("copy", path, target, attach, operation="Copy")
            assert code == 0, (name, attach, said, errors)
            same(target.read_bytes(), content, f"{name} by {attach}")


def a_token_is_good_once():
    token = LAB.token("List")
    code, said, errors = call("list", "/gsoap", token=token)
    assert code == 0 and "/gsoap/inline/block" in said.splitlines(), (said, errors)
    assert call("list", "/gsoap", token=token)[:2] == (3, "fault TokenReplayed\n")


def a_stranger_is_refused():
    assert call("list", "/gsoap", token=LAB.stranger_token("List"))[:2] == (3, "fault UntrustedKey\n")


if __name__ == "__main__":
    with Interop() as LAB:
        read = {service: read_wsdl(service) for service in ("data", "algorithms", "access")}
        SAID = {service: said for service, (_, said) in read.items()}
        CLIENT = build_client(read["data"][0])
        main(reads_the_wsdl_without_a_complaint, proxies_are_complete, both_ways, a_token_is_good_once, a_stranger_is_refused)
