#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an acknowledgement promises, read off the system calls of a real daemon; and what happens when a sync fails."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from lab import BIN, Lab, envelope, expect_fault, main, multipart, related, wait_until  # noqa: E402

TRACE = "trace=fsync,fdatasync,syncfs,rename,renameat,renameat2,write,pwrite64,sendto,sendmsg,writev"


def receive(lab, path, content=b"some content", token=None):
    token = token or lab.token("Receive")
    body = envelope(f"<wb:Receive><wb:Data><wb:Path>{path}</wb:Path><wb:Attachment>cid:one</wb:Attachment></wb:Data></wb:Receive>", token)
    return lab.post(multipart([("Content-Type: text/xml", body), ("Content-ID: <one>", content)]), related())


def calls_of_a_receive(env=None):
    """The system calls of one Receive, in order, as (call, line)."""
    with tempfile.NamedTemporaryFile(suffix=".strace") as trace, Lab() as lab:
        lab.start(prefix=["strace", "-f", "-y", "-qq", "-s", "64", "-e", TRACE, "-e", "signal=none", "-o", trace.name], env=env)
        size = os.path.getsize(trace.name)
        status, _, body = receive(lab, "/durable")
        assert status == 200, body
        lab.stop()
        lines = open(trace.name, errors="replace").read()[size:].splitlines()
    parsed = [re.match(r"\d+\s+(?:<\.\.\. )?(\w+)", line) for line in lines]
    return [(match.group(1), line) for match, line in zip(parsed, lines) if match]


def check_durable_order(calls):
    """Content synced, then renamed, then its folder synced, then the catalog synced, then the reply."""
    def first(names, text, start, what):
        for index in range(start, len(calls)):
            name, line = calls[index]
            if name in names and text in line:
                return index
        raise AssertionError(f"no {what} after step {start}")

    syncs = {"fsync", "fdatasync", "syncfs"}
    renames = {"rename", "renameat", "renameat2"}
    renamed = first(renames, "staging", 0, "rename out of staging")
    assert any(name in syncs and "staging" in line for name, line in calls[:renamed]), "the content was not synced before its rename"
    folder = first(syncs, "/content/", renamed, "sync of the content's folder")
    catalog = first(syncs, "catalog.sqlite-wal", folder, "sync of the catalog")
    first({"write", "sendto", "sendmsg", "writev"}, "socket", catalog, "reply")
    between = [line for name, line in calls[renamed:catalog] if name in {"write", "sendto", "sendmsg", "writev"} and "socket" in line]
    assert not between, f"the reply went out before the catalog was synced: {between[0]}"


def receipt_comes_after_every_sync():
    check_durable_order(calls_of_a_receive())


def without_syncs_that_check_fails():
    """eatmydata turns every sync into nothing: a durability test that still passed would test nothing."""
    library = "/usr/lib/x86_64-linux-gnu/libeatmydata.so"
    if not os.path.exists(library):
        library = "libeatmydata.so"
    calls = calls_of_a_receive(env={"LD_PRELOAD": library})
    try:
        check_durable_order(calls)
    except AssertionError:
        return
    raise AssertionError("the durability test passes although nothing is synced")


def failed_sync_makes_the_store_read_only():
    with Lab() as lab:
        lab.start()
        status, _, body = receive(lab, "/before", b"before")
        assert status == 200, body
        # From here on every fsync of this daemon's content files fails. SQLite syncs by fdatasync, so the catalog still works.
        strace = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO", "-p", str(lab.daemon_pid())])
        wait_until(lambda: "TracerPid:\t0" not in pathlib.Path(f"/proc/{lab.daemon_pid()}/status").read_text(), "strace to attach")
        expect_fault(receive(lab, "/during"), "Internal")
        expect_fault(receive(lab, "/after"), "Internal")
        status, _, body = lab.get("/healthz")
        assert status == 503 and b"read-only" in body, body
        assert b"\nwaybill_store_read_only 1" in lab.get("/metrics")[2]
        strace.terminate()
        strace.wait()
        lab.stop()
        lab.start()
        assert lab.paths() == ["/before"], lab.paths()
        assert lab.waybill("get", "lab:/before", "-").stdout == b"before"
        status, _, body = receive(lab, "/again", b"again")
        assert status == 200, body
        assert lab.get("/healthz")[0] == 200


def full_disk_is_no_space_and_nothing_else():
    with Lab('[storage]\nminimum_free_bytes = 0\n') as lab:
        # The home moves to a small disk of its own.
        small = lab.folder / "small"
        small.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(small)], capture_output=True)
        assert mounted.returncode == 0, f"this test needs leave to mount a tmpfs: {mounted.stderr.decode()}"
        try:
            home = small / "server"
            subprocess.run(["cp", "-a", str(lab.home), str(home)], check=True)
            lab.home = home
            lab.start()
            status, _, body = receive(lab, "/kept", b"k" * 1_000_000)
            assert status == 200, body
            token = lab.token("Receive")
            expect_fault(receive(lab, "/big", b"b" * 40_000_000, token), "NoSpace")
            assert not list((home / "staging").iterdir()), "the refused upload left a staging file"
            assert lab.paths() == ["/kept"], lab.paths()
            # The daemon goes on, and the same token can be used for something that fits.
            status, _, body = receive(lab, "/small", b"s" * 1_000_000, token)
            assert status == 200, body
            assert lab.waybill("get", "lab:/small", "-").stdout == b"s" * 1_000_000
            lab.stop()
        finally:
            if lab.process is not None and lab.process.poll() is None:
                lab.kill()
            subprocess.run(["umount", "-l", str(small)], check=True)


def second_daemon_on_one_home_is_refused():
    with Lab() as lab:
        lab.start()
        second = subprocess.run([str(BIN / "waybilld"), "--home", str(lab.home), "--listen", "127.0.0.1:0"], capture_output=True, timeout=30)
        assert second.returncode == 1, second
        assert str(lab.process.pid) in second.stderr.decode(), second.stderr
        assert lab.get("/healthz")[0] == 200


if __name__ == "__main__":
    main(receipt_comes_after_every_sync, without_syncs_that_check_fails, failed_sync_makes_the_store_read_only,
         full_disk_is_no_space_and_nothing_else, second_daemon_on_one_home_is_refused)
