#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every program in examples/ does what it says, against a real instance."""
import hashlib
import json
import os

from lib import BIN, HERE, PAYLOADS, Interop, Labs, bytes_of, main, run
from algorithms import publish

LAB = None
GRANTS = "read,write,list,delete,invoke"
EXAMPLES = HERE.parents[1] / "examples"


def environment(lab=None):
    lab = lab or LAB
    return {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "WAYBILL_HOME": str(lab.client_home), "WAYBILL_URL": f"https://127.0.0.1:{lab.port}",
            "WAYBILL_CA": str(lab.certificate), "NODE_EXTRA_CA_CERTS": str(lab.certificate)}


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


def put(labs, content, path):
    file = labs.folder / "example.bin"
    file.write_bytes(content)
    labs.waybill("put", "--overwrite", "always", file, path)


def expect_at(labs, place, content):
    found = labs.waybill("get", place, "-").stdout
    assert found == content, f"{place}: {len(found)} bytes instead of {len(content)}, or others"


def copies_to_another(command, *more, priority=3):
    """With the content attached, and with content that the other instance pulls."""
    with Labs("a", "b", settings="[transfers]\nlease_bytes = 50000\n") as labs:
        labs.start()
        for content in (PAYLOADS["every-byte"], PAYLOADS["block"]):
            put(labs, content, "a:/examples/copied.bin")
            said = run(*command, "/examples/copied.bin", labs.b.url, *(each(labs) for each in more), env=environment(labs.a)).stdout.decode()
            assert said.startswith("Succeeded"), said
            expect_at(labs, "b:/examples/copied.bin", content)
        assert {transfer["priority"] for transfer in json.loads(labs.waybill("transfers", "--json", "a").stdout)} == {priority}


def zeep_third_party():
    example = EXAMPLES / "zeep/third_party.py"
    assert len(example.read_text().splitlines()) < 40
    copies_to_another(("/usr/bin/python3", example), priority=4)


def curl_third_party():
    copies_to_another((EXAMPLES / "curl/third_party",), lambda labs: labs.b.certificate)


def third_party_failures_are_told():
    """The other instance does not take what it is not allowed to take, and both programs say so and end with 1."""
    with Labs("a", "b", grants={"a": "read,write,list,delete", "b": "read,list"}) as labs:
        labs.start()
        put(labs, b"kept back", "a:/x")
        for command in (("/usr/bin/python3", EXAMPLES / "zeep/third_party.py", "/x", labs.b.url),
                        (EXAMPLES / "curl/third_party", "/x", labs.b.url, labs.b.certificate)):
            done = run(*command, env=environment(labs.a), check=False)
            assert done.returncode == 1 and done.stdout.startswith(b"Failed NotAllowed"), done
        assert labs.b.paths() == [], labs.b.paths()


def zeep_chain():
    with Labs("a", "b", "c", "d", "own") as labs:
        labs.start()
        everyone = labs.folder / "all.pem"
        everyone.write_bytes(b"".join(lab.certificate.read_bytes() for lab in labs.labs.values()))
        put(labs, PAYLOADS["block"], "a:/chain/data.bin")
        stations = [labs[name].url for name in ("own", "a", "b", "c", "d")]
        said = run("/usr/bin/python3", EXAMPLES / "zeep/chain.py", "/chain/data.bin", *stations, env={**environment(labs.a), "WAYBILL_CA": str(everyone)}).stdout.decode()
        assert said.count(": Succeeded") == 5, said
        assert f"arrived as {labs.d.url}/data/" in said and hashlib.sha256(PAYLOADS["block"]).hexdigest() in said, said
        for name in ("b", "c", "d"):
            expect_at(labs, f"{name}:/chain/data.bin", PAYLOADS["block"])
        assert labs.own.paths() == [], "the receipt's place has the data too"


def runs_an_algorithm(*command):
    folder = LAB.folder / command[-1].parent.name
    folder.mkdir()
    text = folder / "text"
    text.write_bytes(b"one\ntwo\nthree\nOne\n")
    done = run(*command, "text/grep", f"text={text}", "--word=one", "--ignore-case=true", env=environment(), cwd=folder)
    assert done.stdout == b"found: text/plain, 8 bytes\n", done
    assert (folder / "found").read_bytes() == b"one\nOne\n"
    (folder / "empty").write_bytes(b"")
    done = run(*command, "text/cat", f"text={folder / 'empty'}", env=environment(), cwd=folder)
    assert done.stdout == b"text: text/plain, 0 bytes\n" and text.read_bytes() == b"", done
    done = run(*command, "nothing", env=environment(), cwd=folder)
    assert done.stdout == b"", done
    text.write_bytes(b"one\ntwo\nthree\nOne\n")
    for wrong, words in (("--word=nothing-like-it", "exit status 1"), ("--colour=red", "colour"), ("--word=" + "x" * 50, "40")):
        done = run(*command, "text/grep", f"text={text}", wrong, env=environment(), cwd=folder, check=False)
        assert done.returncode == 1 and words in done.stderr.decode() and "$value" not in done.stderr.decode(), done


def zeep_run():
    runs_an_algorithm("/usr/bin/python3", EXAMPLES / "zeep/run.py")


def node_run():
    runs_an_algorithm("node", EXAMPLES / "node/run.js")


def zeep_run_elsewhere():
    with Labs("a", "b", "c", "own", grants=GRANTS) as labs:
        publish(labs.a)
        labs.start()
        everyone = labs.folder / "all.pem"
        everyone.write_bytes(b"".join(lab.certificate.read_bytes() for lab in labs.labs.values()))
        put(labs, b"some text\n", "b:/in.txt")
        said = run("/usr/bin/python3", EXAMPLES / "zeep/run_elsewhere.py", "text/cat", "text", "text", labs.a.url, labs.b.url, "/in.txt", labs.c.url, "/out.txt", labs.own.url,
                   env={**environment(labs.a), "WAYBILL_CA": str(everyone)}).stdout.decode()
        assert f"{labs.a.url}: Succeeded" in said and f"{labs.own.url} was told: {labs.c.url}/data/" in said and "10 bytes" in said, said
        expect_at(labs, "c:/out.txt", b"some text\n")
        assert labs.a.paths() == [], "the instance that ran it has kept something"
        for own in (labs.a.url, labs.c.url):
            said = run("/usr/bin/python3", EXAMPLES / "zeep/run_elsewhere.py", "text/cat", "text", "text", labs.a.url, labs.b.url, "/in.txt", labs.c.url, "/again.txt", own,
                       env={**environment(labs.a), "WAYBILL_CA": str(everyone)}, check=False)
            assert said.returncode == 1 and b"OWN has to be another instance than A and C" in said.stderr, said
        # A receipt that OWN refuses: the result is there, and nobody waits for ever.
        impatient = labs.folder / "impatient.py"
        impatient.write_text((EXAMPLES / "zeep/run_elsewhere.py").read_text().replace("PATIENCE = 60", "PATIENCE = 3").replace('token(OWN, "Receive")', 'token(OWN, "Copy")'))
        said = run("/usr/bin/python3", impatient, "text/cat", "text", "text", labs.a.url, labs.b.url, "/in.txt", labs.c.url, "/again.txt", labs.own.url,
                   env={**environment(labs.a), "WAYBILL_CA": str(everyone)}, check=False)
        assert said.returncode == 1 and b"was told nothing within 3 seconds" in said.stderr, said
        expect_at(labs, "c:/again.txt", b"some text\n")


if __name__ == "__main__":
    with Interop(grants=GRANTS, prepare=lambda lab: publish(lab, {"nothing": 'version = "1"\ntitle = "No results"\ncommand = ["true"]\n'})) as LAB:
        main(zeep_put_get, php_put_get, node_put_get, curl_put_get, zeep_large, zeep_tree, zeep_refusals,
             zeep_third_party, curl_third_party, third_party_failures_are_told, zeep_chain,
             zeep_run, node_run, zeep_run_elsewhere)
