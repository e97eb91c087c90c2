#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stock gSOAP client: wsdl2h and soapcpp2 read the served WSDL here and now, and gsoap/client.cpp uses what they wrote."""
import re

from lib import HERE, PAYLOADS, Interop, main, run, same

LAB = None
CLIENT = None
IMPORT = "/usr/share/gsoap/import"


def build_client():
    """From the WSDL at its URL to a program. wsdl2h has no option for a CA, so curl fetches the WSDL; what that imports is fetched from the same
    instance by the addresses that are in it."""
    folder = LAB.folder / "gsoap"
    folder.mkdir()
    fetch(LAB.wsdl(), folder / "data.wsdl")
    generated = run("wsdl2h", "-o", "data.h", "data.wsdl", cwd=folder)
    run("soapcpp2", "-j", "-C", "-x", "-w", "-L", "-I", IMPORT, "data.h", cwd=folder)
    flags = run("pkg-config", "--cflags", "gsoapssl++").stdout.decode().split()
    run("g++", "-std=c++17", "-O0", "-w", *flags, "-I", folder, HERE / "gsoap/client.cpp", "soapC.cpp", "soapDataManagerSoap11BindingProxy.cpp", "-o", "client", "-lgsoapssl++",
        "-lssl", "-lcrypto", "-lz", cwd=folder)
    return folder / "client", generated.stderr.decode()


def fetch(url, target):
    """A WSDL or schema, and what it imports, into one folder; the imports then name files."""
    text = run("curl", "-sS", "--fail", "--cacert", LAB.certificate, url).stdout.decode()
    base = LAB.url().rsplit("/", 1)[0]
    for address in sorted(set(re.findall(r'(?:schemaLocation|location)="([^"]*\?xsd=[^"]*)"', text))):
        name = address.rsplit("=", 1)[1]
        full = address if address.startswith("https:") else f"{base}/{address}"
        text = text.replace(f'"{address}"', f'"{name}"')
        if not (target.parent / name).exists():
            (target.parent / name).touch()
            fetch(full.replace("&amp;", "&"), target.parent / name)
    target.write_text(text)


def call(*arguments, token=None, operation=None):
    done = run(CLIENT, LAB.url(), LAB.certificate, token or LAB.token(operation), *arguments, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def reads_the_wsdl():
    assert "error" not in COMPLAINTS.lower(), COMPLAINTS


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
        CLIENT, COMPLAINTS = build_client()
        main(reads_the_wsdl, both_ways, a_token_is_good_once, a_stranger_is_refused)
