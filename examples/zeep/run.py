#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has an instance run an algorithm on a file, with zeep and nothing but the served WSDL.

    WAYBILL_URL=https://localhost:8443 WAYBILL_CA=lab.pem  run.py ALGORITHM INPUT=FILE... [--PARAMETER=VALUE...]

Each output is written into the working folder under its name."""
import os
import pathlib
import subprocess
import sys

import requests
import zeep

URL = os.environ.get("WAYBILL_URL", "https://localhost:8443")


def token(algorithm):
    command = ["waybill", "token", "--audience", URL, "--operation", "Invoke", "--resource", algorithm]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main():
    algorithm, *given = sys.argv[1:]
    inputs, parameters = [], []
    for name, _, value in (one.partition("=") for one in given):
        if name.startswith("--"):
            parameters.append({"name": name[2:], "_value_1": value})
        else:
            inputs.append({"name": name, "Content": pathlib.Path(value).read_bytes()})
    session = requests.Session()
    session.trust_env = False  # else REQUESTS_CA_BUNDLE would win over the next line
    session.verify = os.environ.get("WAYBILL_CA", "lab.pem")
    service = zeep.Client(f"{URL}/services/algorithms?wsdl", transport=zeep.Transport(session=session)).service
    try:
        made = service.Invoke(Algorithm=algorithm, Input=inputs, Parameter=parameters, Attach="MTOM", _soapheaders={"Token": token(algorithm)})
    except zeep.exceptions.Fault as fault:
        sys.exit(f"{algorithm}: {fault.message}")
    for output in made.Output:
        pathlib.Path(output.name).write_bytes(output.Content._value_1 or b"")
        print(f"{output.name}: {output.ContentType}, {output.Size} bytes")


if __name__ == "__main__":
    main()
