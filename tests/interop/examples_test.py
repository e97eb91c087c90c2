#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every program in examples/ does what it says, against a real instance."""
import hashlib
import os

from lib import BIN, HERE, PAYLOADS, Interop, bytes_of, main, run

LAB = None
EXAMPLES = HERE.parents[1] / "examples"


def environment():
    return {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "WAYBILL_HOME": str(LAB.client_home), "WAYBILL_URL": f"https://127.0.0.1:{LAB.port}",
            "WAYBILL_CA": str(LAB.certificate), "NODE_EXTRA_CA_CERTS": str(LAB.certificate)}


def file_of(content):
    file = LAB.folder / "example.bin"
    file.write_bytes(content)
    return file


def puts_and_gets(*command):
    path = f"/examples/{command[-1].parent.name}"
    for content in (PAYLOADS["every-byte"], PAYLOADS["block"]):
        said = run(*command, file_of(content), path, env=environment()).stdout.decode()
        assert "sha-256" not in said or hashlib.sha256(content).hexdigest() in said, said
        assert "stored" in said and "fetched: the same bytes" in said, said
        LAB.expect_stored(path, content)


def zeep_put_get():
    puts_and_gets("/usr/bin/python3", EXAMPLES / "zeep/put_get.py")


def php_put_get():
    puts_and_gets("php", EXAMPLES / "php/put_get.php")


def node_put_get():
    puts_and_gets("node", EXAMPLES / "node/put_get.js")


def curl_put_get():
    puts_and_gets(EXAMPLES / "curl/put_get")


def zeep_large():
    content = bytes_of(5_000_000) + PAYLOADS["boundaries"]
    fetched = LAB.folder / "fetched"
    run("/usr/bin/python3", EXAMPLES / "zeep/large.py", "put", file_of(content), "/examples/large", env=environment())
    LAB.expect_stored("/examples/large", content)
    run("/usr/bin/python3", EXAMPLES / "zeep/large.py", "get", "/examples/large", fetched, env=environment())
    assert fetched.read_bytes() == content, "other bytes came back"


def zeep_tree():
    folder = LAB.folder / "tree"
    for name, content in PAYLOADS.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "Grüße & more.bin").write_bytes(content)
    run("/usr/bin/python3", EXAMPLES / "zeep/tree.py", folder, "/examples/tree", LAB.folder / "tree-back", env=environment())
    run("diff", "-r", folder, LAB.folder / "tree-back")


def zeep_refusals():
    said = run("/usr/bin/python3", EXAMPLES / "zeep/refusals.py", LAB.client_home, LAB.stranger_home, LAB.folder / "alice.pem", env=environment()).stdout.decode()
    assert "WRONG" not in said and said.count("\n") == 5, said


if __name__ == "__main__":
    with Interop() as LAB:
        main(zeep_put_get, php_put_get, node_put_get, curl_put_get, zeep_large, zeep_tree, zeep_refusals)
