# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of foreign clients have in common: an instance, a stranger, data that is hard to carry, and what must be true in the end."""
import base64
import functools
import hashlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from lab import BIN, SOAP11, SOAP12, WSA, Lab, Labs, element, envelope, expect_fault, main, multipart, related, run  # noqa: E402,F401

HERE = pathlib.Path(__file__).resolve().parent


@functools.cache
def bytes_of(count):
    """Always the same bytes for a count; they look random."""
    blocks = (hashlib.sha256(f"waybill {count} {n}".encode()).digest() for n in range(count // 32 + 1))
    return b"".join(blocks)[:count]


# What breaks in practice: line ends at both ends, every byte value, text that looks like a boundary, nothing at all.
PAYLOADS = {
    "empty": b"",
    "text": "Grüße, <&> ]]> und “mehr”\n".encode(),
    "every-byte": bytes(range(256)) * 3,
    "line-ends": b"\r\n\r\n" + bytes(range(32)) + b"\n\r\n\r\n",
    "boundaries": b"--\r\n--waybill\r\n\r\n--waybill-test-boundary-\r\n" * 5 + b"--",
    "block": bytes_of(70_000),
}


class Interop(Lab):
    """A running instance, and a stranger: a home with keys that the instance has never heard of."""

    def __init__(self, settings="", grants="read,write,list,delete", prepare=lambda lab: None):
        super().__init__(settings, grants)
        prepare(self)
        self.stranger_home = self.folder / "stranger"
        run(BIN / "waybill", "--home", self.stranger_home, "init", "--name", "mallory")
        self.start()

    def service_url(self, service="data", query=""):
        return f"https://localhost:{self.port}/services/{service}{query}"

    def wsdl(self, service="data"):
        return self.service_url(service, "?wsdl")

    def stranger_token(self, operation):
        return self.token(operation, home=self.stranger_home)

    def tokens(self, operation, count):
        return [self.token(operation) for _ in range(count)]

    def stored(self, path):
        """The bytes at a path, as the waybill command gets them."""
        return self.waybill("get", f"lab:{path}", "-").stdout

    def store(self, path, content):
        """Stores bytes by the waybill command."""
        source = self.folder / "to-store"
        source.write_bytes(content)
        self.waybill("put", "--overwrite", "always", source, f"lab:{path}")

    def expect_stored(self, path, content):
        found = self.stored(path)
        assert found == content, f"{path}: {len(found)} bytes came back instead of {len(content)}, or others"


def same(found, wanted, what):
    if isinstance(found, str):
        found = base64.b64decode(found)
    assert found == wanted, f"{what}: {describe(found)} instead of {describe(wanted)}"


def describe(content):
    return f"{len(content)} bytes {content[:24]!r}" if content is not None else "nothing"
