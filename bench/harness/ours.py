# SPDX-License-Identifier: GPL-3.0-or-later
"""Our side: an instance with its client (the same Lab that the tests use), and messages written by hand for curl."""
import http.client
import pathlib
import subprocess
import sys

from .processes import client_context, peak_kib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/support"))
import lab  # noqa: E402

BOUNDARY = "waybill-bench-boundary"
ROOT_BYTES = 8192  # every root part is padded to this, so that a new token can be written over the old one


def envelope_part(xml):
    """The head of a multipart message, of fixed size: its padding is white space inside the envelope."""
    head = f"--{BOUNDARY}\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"text/xml\"\r\nContent-ID: <root>\r\n\r\n".encode()
    xml = xml.replace(b"</s:Envelope>", b"")
    closing = b"</s:Envelope>\r\n"
    space = ROOT_BYTES - len(head) - len(xml) - len(closing)
    assert space >= 0, "the envelope is larger than ROOT_BYTES"
    return head + xml + b" " * space + closing


CONTENT_TYPE = f'multipart/related; type="application/xop+xml"; start="<root>"; start-info="text/xml"; boundary="{BOUNDARY}"'


def data_element(path, cid):
    return (f'<wb:Data><wb:Path>{path}</wb:Path><wb:Content><xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:{cid}"/>'
            "</wb:Content></wb:Data>")


def receive_message(target, contents, token, padded=False):
    """Writes a Receive as a multipart file; contents: (path, file) pairs. `padded`: so that renew() can be used on it."""
    body = "<wb:Receive>" + "".join(data_element(path, f"part{n}") for n, (path, _) in enumerate(contents)) + "</wb:Receive>"
    message_of(target, body, [file for _, file in contents], token, padded)


def message_of(target, body, files, token, padded=False):
    """Writes a multipart file of that body; the files are its parts "part0", "part1", ..."""
    xml = lab.envelope(body, token)
    with open(target, "wb") as out:
        if padded:
            out.write(envelope_part(xml))
        else:
            out.write(f"--{BOUNDARY}\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"text/xml\"\r\nContent-ID: <root>\r\n\r\n".encode() + xml + b"\r\n")
        for n, file in enumerate(files):
            out.write(f"--{BOUNDARY}\r\nContent-Type: application/octet-stream\r\nContent-ID: <part{n}>\r\n\r\n".encode())
            with open(file, "rb") as source:
                while chunk := source.read(1 << 20):
                    out.write(chunk)
            out.write(b"\r\n")
        out.write(f"--{BOUNDARY}--\r\n".encode())


def renew(target, path, token):
    """Puts another path and token into a padded message of one object."""
    xml = lab.envelope("<wb:Receive>" + data_element(path, "part0") + "</wb:Receive>", token)
    with open(target, "r+b") as out:
        out.write(envelope_part(xml))


def mint(build, instance, operation, count):
    """Many tokens, without starting a program for each."""
    minted = subprocess.run([str(build / "bin/mint_tokens"), str(instance.client_home), str(instance.certificate), operation, str(count)], check=True, capture_output=True)
    return minted.stdout.decode().split()


class Instance(lab.Lab):
    """A Lab whose daemon's memory is watched, with quick tokens."""

    def __init__(self, build, settings="", **options):
        super().__init__(settings, **options)
        self.build = build

    def tokens(self, operation, count):
        return mint(self.build, self, operation, count)

    def quick_token(self, operation):
        return self.tokens(operation, 1)[0]

    def endpoint(self, service="data"):
        return f"https://localhost:{self.port}/services/{service}"

    def peak(self):
        return peak_kib(self.daemon_pid())

    def delete(self, *paths):
        names = "".join(f"<wb:Data><wb:Path>{path}</wb:Path></wb:Data>" for path in paths)
        status, _, body = self.post(lab.envelope(f"<wb:Delete>{names}</wb:Delete>", self.quick_token("Delete")))
        if status != 200:
            raise RuntimeError(f"Delete: {body[:1000]!r}")

    def kept_connection(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=client_context(), timeout=120)

    def curl(self):
        """curl as every row uses it, for us and for nginx alike."""
        return ["curl", "-sS", "--fail", "--cacert", str(self.certificate)]
