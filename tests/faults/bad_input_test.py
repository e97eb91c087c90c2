#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input against a running daemon: a clear fault or status, nothing changed, and the daemon goes on with little memory."""
import base64
import concurrent.futures
import hashlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from lab import BIN, SOAP11, SOAP12, Lab, element, envelope, expect_fault, main, make_home, multipart, related, wait_until  # noqa: E402

LAB = None
XML = "text/xml; charset=utf-8"
RECEIVE = "<wb:Receive><wb:Data><wb:Path>/bad</wb:Path><wb:Attachment>cid:one</wb:Attachment></wb:Data></wb:Receive>"


def refused(body, code="InvalidMessage", content_type=XML, **more):
    expect_fault(LAB.post(body, content_type, **more), code)


def read_all(connection):
    """What comes until the daemon closes."""
    reply = b""
    try:
        while chunk := connection.recv(65536):
            reply += chunk
    except (OSError, TimeoutError):
        pass
    return reply


def raw(request, wait=10):
    """Sends bytes as they are; what came back until the daemon closed."""
    with LAB.tls(wait) as connection:
        try:
            connection.sendall(request)
        except OSError:
            pass
        return read_all(connection)


def status_of(reply):
    found = re.match(rb"HTTP/1\.[01] (\d+)", reply)
    assert found, f"no status line in {reply[:200]!r}"
    return int(found.group(1))


def post_head(*lines, path="/services/data"):
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: text/xml", *lines, "", ""]).encode()


def not_xml():
    refused(b"this is not XML")
    refused(b"")
    refused(b"\x00\x01\x02")
    refused(envelope("<wb:List/>")[:-5])


def dtd_entities_and_instructions():
    refused(b'<!DOCTYPE a [<!ENTITY b "c">]>' + envelope("<wb:List><wb:Prefix>&b;</wb:Prefix></wb:List>"))
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    refused(f'<!DOCTYPE a [<!ENTITY e0 "ha">{bomb}]>'.encode() + envelope("<wb:List><wb:Prefix>&e11;</wb:Prefix></wb:List>"))
    refused(b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + envelope("<wb:List><wb:Prefix>&b;</wb:Prefix></wb:List>"))
    refused(b'<!DOCTYPE a SYSTEM "https://127.0.0.1:1/x.dtd">' + envelope("<wb:List/>"))
    refused(envelope("<?php x?><wb:List/>"))


def too_much_of_everything():
    refused(envelope("<wb:List>" + "<a>" * 100_000 + "</a>" * 100_000 + "</wb:List>"), "TooLarge")
    refused(envelope("<wb:List " + " ".join(f'a{n}="x"' for n in range(10_000)) + "/>"), "TooLarge")
    refused(envelope("<wb:List " + " ".join(f'xmlns:a{n}="urn:x"' for n in range(10_000)) + "/>"), "TooLarge")
    refused(envelope("<wb:List/>", headers="<x/>" * 10_000), "TooLarge")
    refused(envelope("<wb:List/>", headers="<x>" + "y" * (100 << 20) + "</x>"), "TooLarge")


def wrong_messages():
    refused(envelope('<List xmlns="urn:other"/>'))
    refused(envelope("<wb:Fly/>"))
    refused(envelope("<wb:List/><wb:List/>"))
    refused(b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/><s:Body/></s:Envelope>')
    refused(b'<s:Envelope xmlns:s="urn:not-soap"><s:Body/></s:Envelope>', "VersionMismatch")
    refused(envelope("<wb:List/>"), content_type="application/json")
    refused(envelope("<wb:List/>"), content_type="")


def broken_multipart():
    token = LAB.token("Receive")
    root = ("Content-Type: text/xml", envelope(RECEIVE, token))
    refused(multipart([root, ("Content-ID: <one>", b"x")]), content_type="multipart/related")
    refused(multipart([root, ("Content-ID: <one>", b"x")]), content_type="multipart/related; boundary=" + "b" * 71)
    refused(multipart([root, ("Content-ID: <one>", b"x")], last=False), content_type=related())
    refused(multipart([root, ("Content-ID: <one>", b"x"), ("Content-ID: <one>", b"y")]), content_type=related())
    refused(multipart([root, ("Content-ID: <one>\r\nContent-Transfer-Encoding: zip", b"x")]), content_type=related())
    refused(multipart([root, ("Content-ID: <one>\r\nContent-Transfer-Encoding: base64", b"***")]), content_type=related())
    refused(multipart([root, ("Content-ID: <one>\r\nX: " + "y" * (10 << 20), b"x")]), "TooLarge", content_type=related())
    refused(multipart([root] + [(f"Content-ID: <{n}>", b"x") for n in range(100_000)]), "TooLarge", content_type=related())
    refused(b"no boundary anywhere", content_type=related())
    # None of this has used up the token.
    status, _, body = LAB.post(multipart([root, ("Content-ID: <one>", b"x")]), related())
    assert status == 200, body
    LAB.waybill("rm", "lab:/bad")


def false_lengths_and_smuggling():
    assert status_of(raw(post_head("Content-Length: -1"))) == 400
    assert status_of(raw(post_head("Content-Length: 12abc"))) == 400
    assert status_of(raw(post_head("Content-Length: 5", "Content-Length: 6"))) == 400
    assert status_of(raw(post_head("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n")) == 400
    assert status_of(raw(post_head("Transfer-Encoding: chunked", "Transfer-Encoding: identity") + b"0\r\n\r\n")) in (400, 501)
    assert status_of(raw(post_head("Transfer-Encoding: xchunked") + b"0\r\n\r\n")) in (400, 501)
    assert status_of(raw(post_head())) == 411
    assert status_of(raw(post_head("X: " + "y" * (1 << 20)))) == 431
    assert status_of(raw(b"GET / HTTP/3.7\r\nHost: x\r\n\r\n")) in (400, 505)
    assert status_of(raw(b"\x16\x03 nonsense\r\n\r\n")) == 400
    reply = raw(b"GET /services/data?wsdl HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n")
    assert status_of(reply) == 400 and b"the Host header" in reply, reply


def false_lengths_hide_no_second_request():
    message = envelope("<wb:List/>", LAB.token("List"))
    hidden = envelope("<wb:Receive><wb:Data><wb:Path>/hidden</wb:Path><wb:Content>eA==</wb:Content></wb:Data></wb:Receive>", LAB.token("Receive"))
    second = post_head(f"Content-Length: {len(hidden)}") + hidden
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    def statuses(length, *rest):
        reply = raw(post_head(f"Content-Length: {length}") + message + b"".join(rest), 30)
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", reply)]
    # Less than there is: what is left over makes the next request none. More: the next request belongs to the first one's body.
    assert statuses(len(message) - 10, second) == [500, 400]
    assert statuses(len(message) + len(second), second, last) == [500, 200]
    assert LAB.paths() == [], LAB.paths()
    # With the true length, both happen.
    assert statuses(len(message), second, last) == [200, 200, 200]
    assert LAB.paths() == ["/hidden"]
    LAB.waybill("rm", "lab:/hidden")


def both_versions(fields, token, overwrite="", attached=b""):
    """The replies to one Receive in SOAP 1.1 and in 1.2, inline and with an attachment."""
    for soap, kind in ((SOAP11, "text/xml"), (SOAP12, "application/soap+xml")):
        def receive(where):
            return envelope(f"<wb:Receive><wb:Data>{fields}{where}</wb:Data>{overwrite}</wb:Receive>", token, soap=soap)
        yield LAB.post(receive(f"<wb:Content>{base64.b64encode(attached).decode()}</wb:Content>"), f"{kind}; charset=utf-8")
        root = (f"Content-Type: {kind}", receive("<wb:Attachment>cid:one</wb:Attachment>"))
        yield LAB.post(multipart([root, ("Content-ID: <one>", attached)]), related().replace("text/xml", kind))


def what_was_declared_is_checked():
    token = LAB.token("Receive")
    for declared in ("<wb:Size>4</wb:Size>", "<wb:Size>6</wb:Size>", f'<wb:Digest algorithm="sha-256">{"0" * 64}</wb:Digest>',
                     '<wb:Digest algorithm="adler32">00000000</wb:Digest>'):
        for reply in both_versions("<wb:Path>/declared</wb:Path>" + declared, token, attached=b"hello"):
            expect_fault(reply, "DigestMismatch")
    assert LAB.paths() == [], LAB.paths()
    assert not list((LAB.home / "staging").iterdir())
    # The token is as good as before, and the true values are taken.
    true = f'<wb:Size>5</wb:Size><wb:Digest algorithm="sha-256">{hashlib.sha256(b"hello").hexdigest()}</wb:Digest>'
    assert next(both_versions("<wb:Path>/declared</wb:Path>" + true, token, attached=b"hello"))[0] == 200
    LAB.waybill("rm", "lab:/declared")


def what_exists_is_not_overwritten():
    def kept():
        return LAB.waybill("stat", "--json", "lab:/kept").stdout, LAB.waybill("get", "lab:/kept", "-").stdout
    assert next(both_versions("<wb:Path>/kept</wb:Path>", LAB.token("Receive"), attached=b"first"))[0] == 200
    before = kept()
    token = LAB.token("Receive")
    for overwrite in ("", "<wb:Overwrite>Never</wb:Overwrite>"):
        for reply in both_versions("<wb:Path>/kept</wb:Path>", token, overwrite, b"second"):
            expect_fault(reply, "AlreadyExists")
    assert kept() == before and before[1] == b"first"
    assert not list((LAB.home / "staging").iterdir())
    assert next(both_versions("<wb:Path>/kept</wb:Path>", token, "<wb:Overwrite>Always</wb:Overwrite>", b"second"))[0] == 200
    assert kept()[1] == b"second"
    LAB.waybill("rm", "lab:/kept")


def cut_at_each_stage():
    token = LAB.token("Receive")
    body = multipart([("Content-Type: text/xml", envelope(RECEIVE, token)), ("Content-ID: <one>", b"x" * 200_000)])
    head = "\r\n".join(["POST /services/data HTTP/1.1", "Host: localhost", f"Content-Type: {related()}", f"Content-Length: {len(body)}", "", ""]).encode()
    whole = head + body
    with socket.create_connection(("127.0.0.1", LAB.port)) as bare:
        bare.sendall(b"\x16\x03\x01")
    for stage in (1, len(head) // 2, len(head), len(head) + 10, len(head) + 700, len(whole) - 100_000, len(whole) - 3):
        connection = LAB.tls()
        connection.sendall(whole[:stage])
        connection.close()
    time.sleep(0.3)
    assert LAB.paths() == [], LAB.paths()
    assert not list((LAB.home / "staging").iterdir())
    # The token was given back each time.
    def again():
        return LAB.post(body, related())[0] == 200
    wait_until(again, "the token to be given back")
    LAB.waybill("rm", "lab:/bad")


def paths_that_are_none():
    token = LAB.token("Receive")
    for path in ("/a/../b", "/..", "//a", "/a//b", "/a/", "/" + "x" * 4000, "/a&#10;b"):
        body = f"<wb:Receive><wb:Data><wb:Path>{path}</wb:Path><wb:Content>eA==</wb:Content></wb:Data></wb:Receive>"
        status, _, reply = LAB.post(envelope(body, token))
        assert status in (400, 500) and (b"BadParameter" in reply or b"InvalidMessage" in reply), (path[:50], reply[:500])
    refused(envelope("<wb:Receive><wb:Data><wb:Path>/a&#0;b</wb:Path></wb:Data></wb:Receive>", token))
    refused(envelope("<wb:Receive><wb:Data><wb:Path>/a@b</wb:Path></wb:Data></wb:Receive>", token).replace(b"@", b"\xff\xfe"))
    for path in ("/data/../instance.key", "/data/%2e%2e/instance.key", "/data/..%2finstance.key", "/../instance.key", "/data/%00", "/instance.key"):
        assert status_of(raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())) in (400, 404), path


def slow_senders_are_cut():
    LAB.stop()
    LAB.settings("[server]\nhead_deadline = 2\nstall_deadline = 2\nminimum_rate = 1000\nrate_grace = 2\nworkers = 2\n")
    LAB.start()
    try:
        message = envelope("<wb:List/>", LAB.token("List"))
        heads = [LAB.tls() for _ in range(4)]
        bodies = [LAB.tls() for _ in range(2)]
        for connection in heads:
            connection.sendall(b"POST /serv")
        for connection in bodies:
            connection.sendall(post_head(f"Content-Length: {len(message) + 100000}") + message[:10])
        closed = set()
        deadline = time.monotonic() + 20
        while len(closed) < 6:
            assert time.monotonic() < deadline, f"{6 - len(closed)} slow connections are still open"
            for connection in heads + bodies:
                if connection not in closed:
                    try:
                        connection.settimeout(0.05)
                        if connection in bodies:
                            connection.sendall(b"x")
                        if not connection.recv(4096):
                            closed.add(connection)
                    except TimeoutError:
                        pass
                    except OSError:
                        closed.add(connection)
            time.sleep(0.5)
        assert LAB.post(message)[0] == 200
    finally:
        LAB.stop()
        LAB.settings("")
        LAB.start()


def a_stranger_does_not_hold_the_workers():
    LAB.stop()
    LAB.settings("[server]\nenvelope_deadline = 3\n")
    LAB.start()
    try:
        connections = [LAB.tls(5, "127.0.0.2") for _ in range(90)]
        began = time.monotonic()
        for connection in connections:
            connection.sendall(post_head("Content-Length: 16000000") + b"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Header><x>")
        for connection in connections:
            connection.settimeout(0.05)
        answers, closed, asked = {}, set(), 0
        while len(closed) < len(connections):
            assert time.monotonic() < began + 60, f"{len(connections) - len(closed)} of the stranger's connections are still open"
            for connection in connections:
                if connection in closed:
                    continue
                try:
                    connection.sendall(b"y" * 2500)
                    chunk = connection.recv(4096)
                except TimeoutError:
                    continue
                except OSError:
                    chunk = b""
                if not chunk:
                    closed.add(connection)
                answers[connection] = answers.get(connection, b"") + chunk
            if asked < 3:  # while the stranger has all that is given to strangers
                asked += 1
                assert LAB.get("/healthz")[0] == 200
                assert LAB.get("/metrics")[0] == 200
                assert LAB.paths() == []
                with LAB.tls(source="127.0.0.2") as probe:
                    probe.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    assert status_of(probe.recv(4096)) == 200
        refused_at_once = sum(answer.startswith(b"HTTP/1.1 503 ") for answer in answers.values())
        # Of 16 workers and 64 places in the queue a stranger has 8 and 32.
        assert refused_at_once == 50, refused_at_once
        late = [answer for answer in answers.values() if b"server.envelope_deadline" in answer]
        assert len(late) >= 8, f"{len(late)} were told why"
        assert LAB.paths() == []
    finally:
        LAB.stop()
        LAB.settings("")
        LAB.start()


def stranger_token():
    home = LAB.folder / "stranger"
    if not home.exists():
        make_home(home, "stranger")
    return LAB.token("Receive", home=home)


def peak_memory():
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{LAB.daemon_pid()}/status").read_text()).group(1))


def large_envelopes_share_memory():
    LAB.stop()
    LAB.start()
    path = "<wb:Path>/large</wb:Path>"
    nodes = "<wb:List>" + "<a/>" * 190_000 + "</wb:List>"
    whole = envelope(f"<wb:Receive><wb:Data>{path}<wb:Content>{'A' * (12 << 20)}</wb:Content></wb:Data></wb:Receive>", stranger_token())

    def sixteen(body):
        """16 strangers at once, from two addresses, all but the last bytes of each sent before any is finished; their replies."""
        connections = [LAB.tls(60, f"127.0.0.{2 + n % 2}") for n in range(16)]
        half = len(body) - 100

        def send(connection, part):
            try:
                connection.sendall(part)
            except OSError:
                pass  # refused; the reply says why
        for pieces in (post_head(f"Content-Length: {len(body)}", "Connection: close") + body[:half], body[half:]):
            with concurrent.futures.ThreadPoolExecutor(16) as threads:
                list(threads.map(send, connections, [pieces] * 16))
        return [read_all(connection) for connection in connections]

    with_memory = {}
    for what, body in (("text", whole), ("nodes", envelope(nodes))):
        replies = sixteen(body)
        busy = [reply for reply in replies if reply.startswith(b"HTTP/1.1 503 ") and b"limits.memory_bytes" in reply]
        assert busy and all(b"Retry-After" in reply for reply in busy), [reply[:300] for reply in replies]
        assert all(reply in busy or reply.startswith(b"HTTP/1.1 500 ") for reply in replies), [reply[:300] for reply in replies]
        with_memory[what] = peak_memory()
        # Small messages are taken at any time, and large ones again afterwards.
        assert LAB.paths() == []
        expect_fault(LAB.post(whole), "UntrustedKey")
    print("        peak memory after 16 at once:", {what: f"{peak / 1024:.0f} MiB" for what, peak in with_memory.items()}, flush=True)
    known = whole.replace(element(whole, "Token").encode(), LAB.token("Receive").encode())
    assert LAB.post(known)[0] == 200
    LAB.waybill("rm", "lab:/large")
    content = LAB.folder / "content"
    content.write_bytes(os.urandom(8_000_000))
    LAB.waybill("put", content, "lab:/inline")
    status, _, body = LAB.call("Copy", "<wb:Copy><wb:Data><wb:Path>/inline</wb:Path></wb:Data><wb:Attach>Inline</wb:Attach></wb:Copy>")
    assert status == 200 and base64.b64decode(element(body, "Content")) == content.read_bytes(), body[:500]
    LAB.waybill("rm", "lab:/inline")
    peak = peak_memory()
    now = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{LAB.daemon_pid()}/status").read_text()).group(1))
    print(f"        peak memory with 12 MiB in and 8 MB out, inline: {peak / 1024:.0f} MiB; then {now / 1024:.0f} MiB", flush=True)
    if "WAYBILL_SANITIZED" not in os.environ:
        assert peak <= 128 * 1024, f"the daemon took up to {peak} KiB for large envelopes"
        assert now <= 64 * 1024, f"the daemon kept {now} KiB after large envelopes"


def what_comes_before_the_token_is_bounded():
    """A stranger's attachments wait in staging/ until the envelope behind them has come."""
    limit = 64 << 20
    staged = {"most": 0}
    done = threading.Event()

    def watch():
        while not done.is_set():
            files = 0
            for entry in os.scandir(f"/proc/{LAB.daemon_pid()}/fd"):
                try:
                    name, size = os.readlink(entry.path), os.stat(entry.path).st_size
                except OSError:
                    continue
                files += size if "/staging/" in name else 0
            staged["most"] = max(staged["most"], files)
            time.sleep(0.02)
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        early = multipart([("Content-ID: <one>", bytes(limit + (8 << 20))), ("Content-ID: <root>\r\nContent-Type: text/xml", envelope(RECEIVE, stranger_token()))])
        refused(early, "limits.unopened_bytes", content_type=related() + '; start="<root>"')
    finally:
        done.set()
        watcher.join()
    assert 1 << 20 < staged["most"] <= limit + (1 << 20), staged
    assert not list((LAB.home / "staging").iterdir())
    # Short of the limit, the token decides.
    for token, expected in ((stranger_token(), 500), (LAB.token("Receive"), 200)):
        status, _, body = LAB.post(multipart([("Content-ID: <one>", bytes(limit - 1)), ("Content-ID: <root>\r\nContent-Type: text/xml", envelope(RECEIVE, token))]),
                                   related() + '; start="<root>"')
        assert status == expected, body[:500]
    LAB.waybill("rm", "lab:/bad")


def busy_is_said():
    LAB.stop()
    LAB.settings("[server]\nworkers = 1\nqueue = 1\n")
    LAB.start()
    try:
        held = [LAB.tls() for _ in range(2)]
        for connection in held:
            connection.sendall(post_head("Content-Length: 100"))
        time.sleep(0.5)
        status, headers, _ = LAB.get("/")
        assert status == 503 and headers["Retry-After"], (status, headers)
        assert LAB.get("/healthz")[0] == 200, "whoever watches the daemon does not wait for its workers"
        for connection in held:
            connection.close()
        wait_until(lambda: LAB.get("/")[0] == 200, "a free worker")
    finally:
        LAB.stop(expect=None)
        LAB.settings("")
        LAB.start()


def five_thousand_idle_connections():
    pid = LAB.daemon_pid()
    def status(key):
        return int(re.search(rf"{key}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))
    threads = status("Threads")
    memory = status("VmRSS")
    connections = []
    try:
        for _ in range(5000):
            connections.append(LAB.tls())
        assert status("Threads") <= threads + 16, f"{status('Threads') - threads} more threads for idle connections"
        grown = status("VmRSS") - memory
        print(f"        5,000 idle connections: {grown / 1024:.0f} MiB more", flush=True)
        # A sanitizer's own bookkeeping says nothing about the daemon's.
        if "WAYBILL_SANITIZED" not in os.environ:
            assert grown < 100 * 1024, f"{grown} KiB more for 5,000 idle connections"
        assert LAB.get("/healthz")[0] == 200
    finally:
        for connection in connections:
            connection.close()


def settings_are_checked():
    with Lab("[server]\nwrokers = 3\n") as other:
        done = subprocess.run([str(BIN / "waybilld"), "--home", str(other.home), "--listen", "127.0.0.1:0"], capture_output=True, timeout=30)
        assert done.returncode == 1 and b"waybill.toml:2:" in done.stderr and b"wrokers" in done.stderr, done
        for code, arguments, said in ((2, ["--home", other.home, "--listen", "x"], b"--listen"), (1, ["--home", "/nowhere", "--check-config"], b"/nowhere"),
                                      (1, ["--home", other.home, "--config", "/tmp", "--check-config"], b"/tmp")):
            other.settings("")
            done = subprocess.run([str(BIN / "waybilld"), *map(str, arguments)], capture_output=True, timeout=30)
            assert done.returncode == code and said in done.stderr, done


def terminated_daemon_finishes_what_runs():
    token = LAB.token("Receive")
    body = multipart([("Content-Type: text/xml", envelope(RECEIVE, token)), ("Content-ID: <one>", b"x" * 500_000)])
    connection = LAB.tls()
    head = "\r\n".join(["POST /services/data HTTP/1.1", "Host: localhost", f"Content-Type: {related()}", f"Content-Length: {len(body)}", "", ""]).encode()
    connection.sendall(head + body[:300_000])
    time.sleep(0.3)
    os.kill(LAB.daemon_pid(), signal.SIGTERM)
    time.sleep(0.5)
    connection.sendall(body[300_000:])
    reply = b""
    while chunk := connection.recv(65536):
        reply += chunk
    assert status_of(reply) == 200 and b"ReceiveResponse" in reply, reply[:500]
    assert LAB.process.wait(timeout=30) == 0
    LAB.log.close()
    LAB.start()
    assert LAB.paths() == ["/bad"]
    LAB.waybill("rm", "lab:/bad")


def memory_stayed_small():
    peak = peak_memory()
    print(f"        peak memory: {peak / 1024:.0f} MiB", flush=True)
    # A sanitizer's own bookkeeping says nothing about the daemon's.
    if "WAYBILL_SANITIZED" not in os.environ:
        assert peak <= 64 * 1024, f"the daemon took up to {peak} KiB for bad input"
    assert LAB.paths() == []


if __name__ == "__main__":
    with Lab() as LAB:
        LAB.start()
        main(not_xml, dtd_entities_and_instructions, too_much_of_everything, wrong_messages, broken_multipart, false_lengths_and_smuggling,
             false_lengths_hide_no_second_request, what_was_declared_is_checked, what_exists_is_not_overwritten,
             cut_at_each_stage, paths_that_are_none, memory_stayed_small, slow_senders_are_cut, a_stranger_does_not_hold_the_workers, large_envelopes_share_memory,
             what_comes_before_the_token_is_bounded, busy_is_said, five_thousand_idle_connections,
             settings_are_checked, terminated_daemon_finishes_what_runs)
