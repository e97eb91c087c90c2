#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of any size with zeep, in little memory: zeep makes and reads the SOAP messages, StreamingTransport carries the bytes beside them.

    WAYBILL_URL=https://localhost:8443 WAYBILL_CA=lab.pem  large.py put FILE PATH
    WAYBILL_URL=https://localhost:8443 WAYBILL_CA=lab.pem  large.py get PATH FILE

zeep itself sends no attachments and reads whole replies into memory; its transport is the place that it offers to change that."""
import os
import subprocess
import sys
import uuid

import requests
import zeep

URL = os.environ.get("WAYBILL_URL", "https://localhost:8443")
BLOCK = 1 << 20


class Attached:
    """A request body that is read piece by piece; requests asks for its length, and sends that as Content-Length."""

    def __init__(self, head, file, tail):
        self.pieces = [head, file, tail]
        self.left = len(head) + os.fstat(file.fileno()).st_size + len(tail)

    def __len__(self):
        return self.left

    def read(self, _=-1):
        while self.pieces:
            piece = self.pieces[0]
            if isinstance(piece, bytes):
                self.pieces.pop(0)
                return piece
            if block := piece.read(BLOCK):
                return block
            self.pieces.pop(0)
        return b""


class StreamingTransport(zeep.Transport):
    """Sends self.upload (an open file) as the part "file" of the next message; writes the attachment of a reply to self.download (an open file)."""
    upload = None
    download = None

    def post(self, address, message, headers):
        body = message
        if self.upload:
            boundary = uuid.uuid4().hex
            head = (f"--{boundary}\r\nContent-Type: {headers['Content-Type']}\r\nContent-ID: <root>\r\n\r\n".encode() + message +
                    f"\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-ID: <file>\r\n\r\n".encode())
            body = Attached(head, self.upload, f"\r\n--{boundary}--\r\n".encode())
            headers = {**headers, "Content-Type": f'multipart/related; type="text/xml"; start="<root>"; boundary="{boundary}"'}
        reply = self.session.post(address, data=body, headers=headers, stream=True)
        if self.download and "multipart/related" in reply.headers["Content-Type"]:
            self._split(reply)
        return reply

    def _split(self, reply):
        """Leaves the root part (the first) as the reply; the second part goes to the file."""
        boundary = reply.headers["Content-Type"].split('boundary="')[1].split('"')[0]
        end = f"\r\n--{boundary}".encode()
        blocks = reply.iter_content(BLOCK)
        head, rest = self._until(blocks, b"\r\n\r\n", b"")
        envelope, rest = self._until(blocks, end, rest)
        _, rest = self._until(blocks, b"\r\n\r\n", rest)
        while (found := rest.find(end)) < 0:
            keep = max(0, len(rest) - len(end))  # the boundary may be cut by the end of a block
            self.download.write(rest[:keep])
            block = next(blocks, None)
            if block is None:
                raise OSError("the reply ended within the attachment")
            rest = rest[keep:] + block
        self.download.write(rest[:found])
        root_type = next(line.split(b":", 1)[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"content-type:"))
        reply.headers["Content-Type"] = root_type.decode()
        reply._content = envelope

    @staticmethod
    def _until(blocks, mark, rest):
        while mark not in rest:
            block = next(blocks, None)
            if block is None:
                raise OSError("the reply ended too soon")
            rest += block
        before, after = rest.split(mark, 1)
        return before, after


def token(operation, path):
    command = ["waybill", "token", "--audience", URL, "--operation", operation, "--resource", path]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def make_client():
    session = requests.Session()
    session.trust_env = False
    session.verify = os.environ.get("WAYBILL_CA", "lab.pem")
    transport = StreamingTransport(session=session)
    return zeep.Client(f"{URL}/services/data?wsdl", transport=transport), transport


def put(file, path):
    client, transport = make_client()
    with open(file, "rb") as transport.upload:
        receipt = client.service.Receive(Data=[{"Path": path, "Attachment": "cid:file"}], Overwrite="Always", _soapheaders={"Token": token("Receive", path)})
    print(f"stored {receipt[0].Path}: {receipt[0].Size} bytes, sha-256 {receipt[0].Digest._value_1}")


def get(path, file):
    client, transport = make_client()
    with open(file, "wb") as transport.download:
        reply = client.service.Copy(Data=[{"Path": path}], Attach="SwA", _soapheaders={"Token": token("Copy", path)})
    print(f"fetched {reply[0].Path}: {os.path.getsize(file)} bytes")


if __name__ == "__main__":
    {"put": put, "get": get}[sys.argv[1]](*sys.argv[2:])
