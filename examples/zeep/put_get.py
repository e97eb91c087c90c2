#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores a file and fetches it again with zeep, knowing nothing but the served WSDL.

    WAYBILL_URL=https://localhost:8443 WAYBILL_CA=lab.pem  put_get.py FILE PATH

The bytes go out inline (base64: zeep encodes) and come back as an MTOM attachment (zeep puts it in its place). For files of more than a few
megabytes see large.py."""
import os
import subprocess
import sys

import requests
import zeep

URL = os.environ.get("WAYBILL_URL", "https://localhost:8443")


def token(operation, path):
    """A new token for one call; any program that has one may make the call."""
    command = ["waybill", "token", "--audience", URL, "--operation", operation, "--resource", path]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main():
    file, path = sys.argv[1:]
    session = requests.Session()
    session.trust_env = False  # else REQUESTS_CA_BUNDLE would win over the next line
    session.verify = os.environ.get("WAYBILL_CA", "lab.pem")
    client = zeep.Client(f"{URL}/services/data?wsdl", transport=zeep.Transport(session=session))

    with open(file, "rb") as source:
        content = source.read()
    receipt = client.service.Receive(Data=[{"Path": path, "Content": content}], Overwrite="Always", _soapheaders={"Token": token("Receive", path)})
    print(f"stored {receipt[0].Path}: {receipt[0].Size} bytes, sha-256 {receipt[0].Digest._value_1}")

    reply = client.service.Copy(Data=[{"Path": path}], Attach="MTOM", _soapheaders={"Token": token("Copy", path)})
    same = (reply[0].Content._value_1 or b"") == content
    print("fetched: " + ("the same bytes" if same else "OTHER BYTES"))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
