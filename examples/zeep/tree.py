#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores a folder and fetches it into another one, many files to a message, with zeep and nothing but the served WSDL.

    WAYBILL_URL=https://localhost:8443 WAYBILL_CA=lab.pem  tree.py FOLDER PREFIX TARGET

One message is one token and one transaction: all of its files are stored, or none."""
import os
import pathlib
import subprocess
import sys

import requests
import zeep

URL = os.environ.get("WAYBILL_URL", "https://localhost:8443")
MOST_FILES, MOST_BYTES = 200, 4 << 20  # of one message; instances take 16 MiB of envelope unless set otherwise


def header(operation, prefix):
    command = ["waybill", "token", "--audience", URL, "--operation", operation, "--resource", prefix]
    return {"Token": subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()}


def batches(files):
    batch, size = [], 0
    for file in files:
        if batch and (len(batch) == MOST_FILES or size + file.stat().st_size > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.stat().st_size
    if batch:
        yield batch


def main():
    folder, prefix, target = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    session = requests.Session()
    session.trust_env = False
    session.verify = os.environ.get("WAYBILL_CA", "lab.pem")
    service = zeep.Client(f"{URL}/services/data?wsdl", transport=zeep.Transport(session=session)).service
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    messages = 0
    for batch in batches(files):
        names = [file.relative_to(folder).as_posix() for file in batch]
        data = [{"Path": f"{prefix}/{name}", "Content": file.read_bytes()} for name, file in zip(names, batch)]
        service.Receive(Data=data, _soapheaders=header("Receive", prefix))
        wanted = [{"Path": f"{prefix}/{name}"} for name in names]
        for name, data in zip(names, service.Copy(Data=wanted, Attach="MTOM", _soapheaders=header("Copy", prefix))):
            copy = target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(data.Content._value_1 or b"")
        messages += 2
    print(f"{len(files)} files there and back in {messages} messages")


if __name__ == "__main__":
    main()
