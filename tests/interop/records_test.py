#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance tells its operator: the lines of its log, the audit log, /metrics and /healthz, as of real calls."""
import json
import os
import pathlib
import re
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from lab import Lab, Labs, element, envelope, expect_fault, identity_of, main, wait_until  # noqa: E402


def receive(path, content="aGVsbG8=", fields="", name="x"):
    """(body, headers) of a Receive of "hello"."""
    body = f"<wb:Receive><wb:Data><wb:Path>{path}</wb:Path>{fields}<wb:Content>{content}</wb:Content></wb:Data></wb:Receive>"
    return body, f"<wsa:MessageID>urn:uuid:{name}</wsa:MessageID><wsa:Action>urn:waybill:1/Receive</wsa:Action>"


def lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def log_lines(lab, event="operation"):
    """Those of one event; every line is JSON and says when, how grave and what."""
    all_lines = lines(lab.folder / "waybilld.log")
    for line in all_lines:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line["time"]) and line["level"] and line["event"], line
    return [line for line in all_lines if line["event"] == event]


def metric(lab, name, **labels):
    """The value of one sample; 0 when it is not there."""
    for line in lab.get("/metrics")[2].decode().splitlines():
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")) == labels:
            return float(found[3])
    return 0


def audit(lab, **wanted):
    return [line for line in lines(lab.home / "audit.log") if all(line.get(key) == value for key, value in wanted.items())]


def one_operation_in_all_three():
    with Lab() as lab:
        lab.start()
        alice = identity_of(lab.client_home)
        token = lab.token("Receive")
        body, headers = receive("/a, /b", name="first")
        assert lab.call("Receive", body, headers, token)[0] == 200
        body, headers = receive("/a, /b", name="second")
        expect_fault(lab.call("Receive", body, headers), "AlreadyExists")
        stranger = receive("/c", name="third")
        expect_fault(lab.post(envelope(stranger[0], None, stranger[1])), "NoToken")

        first, second, third = log_lines(lab)[-3:]
        for line, name, outcome, principal in ((first, "first", "Success", alice), (second, "second", "AlreadyExists", alice), (third, "third", "NoToken", None)):
            assert (line["operation"], line["message_id"], line["outcome"]) == ("Receive", f"urn:uuid:{name}", outcome), line
            assert line.get("principal") == principal and line["level"] == "info", line
            assert line["remote"].startswith("127.0.0.1:"), line
            assert isinstance(line["microseconds"], int) and line["microseconds"] > 0, line
        assert "reason" not in first and "Overwrite is Never" in second["reason"] and "wb:Token" in third["reason"], (first, second, third)

        written = audit(lab, operation="Receive")
        assert [line["outcome"] for line in written] == ["Success", "AlreadyExists", "NoToken"], written
        assert written[0]["subjects"] == ["/a, /b"] and written[0]["principal"] == alice and written[0]["token"], written[0]
        assert written[0]["bytes_in"] == 5 and written[1]["bytes_in"] == 0 and written[2]["principal"] == "", written
        assert written[0]["microseconds"] == first["microseconds"], (written[0], first)

        for outcome in ("Success", "AlreadyExists", "NoToken"):
            assert metric(lab, "waybill_operations_total", operation="Receive", outcome=outcome) == 1, outcome
        assert metric(lab, "waybill_operation_seconds_count", operation="Receive") == 3
        assert metric(lab, "waybill_content_bytes_total", direction="in") == 5
        lab.stop()


def refusals_are_counted():
    with Lab("[server]\nworkers = 1\nqueue = 0\nhead_deadline = 1\n") as lab:
        lab.start()
        with lab.tls() as slow:
            slow.sendall(b"GET / HT")
            assert slow.recv(1000).startswith(b"HTTP/1.1 408"), "a head that never ends is answered"
        with lab.tls() as holds:
            holds.sendall(b"POST /services/data HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<")
            wait_until(lambda: lab.post(b"<", "text/xml")[0] == 503, "a refusal")
        wait_until(lambda: lab.get("/metrics")[0] == 200, "a free worker")
        assert metric(lab, "waybill_refused_total", reason="timeout") == 1
        assert metric(lab, "waybill_refused_total", reason="busy") >= 1
        lab.stop()


def public_downloads_leave_a_trace():
    with Lab() as lab:
        lab.start()
        body, headers = receive("/p", fields="<wb:Secure>false</wb:Secure>")
        url = element(lab.call("Receive", body, headers)[2], "Id")
        path = url[url.index("/data/"):]
        assert lab.get(path)[2] == b"hello"
        assert lab.get(path, {"Range": "bytes=1-2"})[2] == b"el"
        assert lab.get(path, method="HEAD")[2] == b""
        assert lab.get(path, {"Range": "bytes=9-"})[0] == 416
        assert lab.get("/data/" + 32 * "0")[0] == 404
        got = audit(lab, operation="Get")
        assert [(line["outcome"], line["bytes_out"]) for line in got] == [("Success", 5), ("Success", 2), ("Success", 0), ("BadParameter", 0)], got
        for line in got:
            assert line["subjects"] == ["/p", path] and line["principal"] == "" and line["remote"].startswith("127.0.0.1:"), line
        assert [line["outcome"] for line in log_lines(lab) if line["operation"] == "Get"] == ["Success"] * 3 + ["BadParameter"]
        assert metric(lab, "waybill_content_bytes_total", direction="out") == 7
        assert metric(lab, "waybill_operations_total", operation="Get", outcome="Success") == 3
        assert metric(lab, "waybill_operations_total", operation="Get", outcome="BadParameter") == 1
        lab.stop()


def a_cut_download_says_so():
    size = 64 << 20
    with Lab() as lab:
        lab.start()
        file = lab.folder / "large"
        file.write_bytes(os.urandom(1 << 20) * (size >> 20))
        lab.waybill("put", "--public", file, "lab:/large")
        url = json.loads(lab.waybill("stat", "--json", "lab:/large").stdout)[0]["id"]
        with lab.tls() as reader:
            reader.sendall(f"GET {url[url.index('/data/'):]} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert reader.recv(1000).startswith(b"HTTP/1.1 200")
        wait_until(lambda: audit(lab, operation="Get"), "the line of the download")
        (line,) = audit(lab, operation="Get")
        assert line["outcome"] != "Success" and line["reason"] and line["bytes_out"] < size, line
        assert metric(lab, "waybill_operations_total", operation="Get", outcome=line["outcome"]) == 1
        lab.stop()


def leases_leave_a_trace_too():
    settings = "[transfers]\nlease_bytes = 1000\n"
    with Labs("a", "b", settings=settings) as labs:
        labs.start()
        file = labs.folder / "f"
        file.write_bytes(b"x" * 5000)
        labs.waybill("put", file, "a:/f")
        before = metric(labs.a, "waybill_content_bytes_total", direction="out")
        labs.waybill("copy", "a:/f", "b:/f")
        read = audit(labs.a, operation="Lease")
        assert read and sum(line["bytes_out"] for line in read) == 5000, read
        assert all(line["subjects"] == ["/f"] and line["outcome"] == "Success" for line in read), read
        assert "/lease/" not in (labs.a.home / "audit.log").read_text(), "who reads the audit log could read what is lent"
        # The transfer counts what was read for it: once.
        wait_until(lambda: metric(labs.a, "waybill_operations_total", operation="Transfer", outcome="Success") == 1, "the transfer's end")
        assert metric(labs.a, "waybill_content_bytes_total", direction="out") - before == 5000


def audit_that_cannot_be_written_is_noticed():
    with Lab() as lab:
        audit_file = lab.folder / "audit"
        audit_file.symlink_to("/dev/full")
        lab.settings(f'[log]\naudit_file = "{audit_file}"\n')
        lab.start()
        assert json.loads(lab.get("/healthz")[2]) == {"status": "ok"}
        for name in ("one", "two"):
            body, headers = receive(f"/{name}", name=name)
            assert lab.call("Receive", body, headers)[0] == 200, "work goes on"
        assert metric(lab, "waybill_audit_failures_total") == 2
        status, _, body = lab.get("/healthz")
        told = json.loads(body)
        assert status == 503 and told["status"] == "unaudited" and str(audit_file) in told["reason"], told
        assert len(log_lines(lab, "audit")) == 2 and "No space" in log_lines(lab, "audit")[0]["reason"]
        # The disk has room again.
        audit_file.unlink()
        os.kill(lab.daemon_pid(), signal.SIGHUP)
        wait_until(lambda: lab.get("/healthz")[0] == 200, "the audit log to be written again")
        body, headers = receive("/three", name="three")
        assert lab.call("Receive", body, headers)[0] == 200
        gap, three = lines(audit_file)
        assert (gap["operation"], gap["outcome"], gap["lines"]) == ("Audit", "LinesLost", 2), gap
        assert three["subjects"] == ["/three"], three
        assert metric(lab, "waybill_audit_failures_total") == 2
        lab.stop()


if __name__ == "__main__":
    main(one_operation_in_all_three, refusals_are_counted, public_downloads_leave_a_trace, a_cut_download_says_so, leases_leave_a_trace_too,
         audit_that_cannot_be_written_is_noticed)
