#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""More than 4 GiB through a running daemon: chunked in as an attachment, out by Copy and by ranges across and behind the boundary of 32 bits, in little memory.
Needs 6 GiB in /var/tmp; without them it is skipped (exit code 77)."""
import os
import pathlib
import re
import shutil
import sys
import tempfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from lab import Lab, element, envelope, main, related  # noqa: E402

LAB = None
FOLDER = "/var/tmp"
NEEDED = 6 << 30
BOUNDARY = 1 << 32
ACROSS, END = b"across the boundary of 32 bits", b"and the end"
SIZE = BOUNDARY + (1 << 20)
ZEROS = bytes(1 << 20)
ID = None
ADLER = None


def content():
    """Zeros, with words from four bytes before the boundary on and at the end."""
    left = BOUNDARY - 4
    while left:
        yield ZEROS[:left]
        left -= min(left, len(ZEROS))
    yield ACROSS
    yield bytes(SIZE - (BOUNDARY - 4) - len(ACROSS) - len(END))
    yield END


def message():
    global ADLER
    xml = envelope(f"<wb:Receive><wb:Data><wb:Path>/large</wb:Path><wb:Size>{SIZE}</wb:Size><wb:Secure>false</wb:Secure>"
                   "<wb:Attachment>cid:one</wb:Attachment></wb:Data></wb:Receive>", LAB.token("Receive"))
    yield b"--waybill-test-boundary\r\nContent-Type: text/xml\r\n\r\n" + xml + b"\r\n--waybill-test-boundary\r\nContent-ID: <one>\r\n\r\n"
    ADLER = 1
    for block in content():
        ADLER = zlib.adler32(block, ADLER)
        yield block
    yield b"\r\n--waybill-test-boundary--\r\n"


def goes_in_by_chunks():
    global ID
    status, _, body = LAB.post(message(), related(), timeout=300)
    assert status == 200, body
    assert int(element(body, "Size")) == SIZE, body
    ID = element(body, "Id").rsplit("/", 1)[1]


def comes_out_by_ranges():
    for first, wanted in ((BOUNDARY - 4, ACROSS), (BOUNDARY - 4 + 7, ACROSS[7:]), (SIZE - len(END), END)):
        last = first + len(wanted) - 1
        status, headers, body = LAB.get(f"/data/{ID}", {"Range": f"bytes={first}-{last}", "Want-Digest": "adler32"})
        assert status == 206 and body == wanted, (status, body[:100])
        assert headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}" and headers["Digest"] == f"adler32={ADLER:08x}", headers.items()
    assert LAB.get(f"/data/{ID}", {"Range": f"bytes=-{len(END)}"})[2] == END
    assert LAB.get(f"/data/{ID}", {"Range": f"bytes={SIZE}-"})[0] == 416
    assert LAB.get(f"/data/{ID}", method="HEAD")[1]["Content-Length"] == str(SIZE)


def comes_out_by_copy():
    connection = LAB.connection(300)
    connection.request("POST", "/services/data", envelope("<wb:Copy><wb:Data><wb:Path>/large</wb:Path></wb:Data></wb:Copy>", LAB.token("Copy")),
                       {"Content-Type": "text/xml; charset=utf-8"})
    reply = connection.getresponse()
    announced = int(reply.headers["Content-Length"])
    assert reply.status == 200 and announced > SIZE, (reply.status, announced)
    received, tail = 0, b""
    while block := reply.read(1 << 20):
        received += len(block)
        tail = (tail + block)[-400:]
    connection.close()
    assert received == announced and re.search(re.escape(END) + rb"\r\n--[^\r\n]*--\r\n$", tail), (received, announced, tail)


def memory_stayed_small():
    peak = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{LAB.daemon_pid()}/status").read_text()).group(1))
    print(f"        peak memory: {peak / 1024:.0f} MiB", flush=True)
    assert peak < 64 * 1024, f"{peak} KiB"


if __name__ == "__main__":
    free = shutil.disk_usage(FOLDER).free
    if free < NEEDED:
        print(f"skipped: {FOLDER} has {free >> 30} GiB free, and {NEEDED >> 30} are needed")
        sys.exit(77)
    os.environ["TMPDIR"] = tempfile.tempdir = FOLDER
    with Lab() as LAB:
        LAB.start()
        main(goes_in_by_chunks, comes_out_by_ranges, comes_out_by_copy, memory_stayed_small)
