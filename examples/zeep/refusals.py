#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance refuses, seen from a SOAP client: a token that is shown twice, one that is meant for another instance, one of a stranger, none at all.

    WAYBILL_URL=https://localhost:8443 WAYBILL_CA=lab.pem  refusals.py MY_HOME STRANGERS_HOME OTHER_INSTANCE.pem

Ends with 1 when one of them is let through."""
import os
import subprocess
import sys

import requests
import zeep

URL = os.environ.get("WAYBILL_URL", "https://localhost:8443")
CERTIFICATE = os.environ.get("WAYBILL_CA", "lab.pem")


def token(home, audience):
    command = ["waybill", "--home", home, "token", "--audience", audience, "--operation", "List"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main():
    mine, strangers, other = sys.argv[1:]
    session = requests.Session()
    session.trust_env = False
    session.verify = CERTIFICATE
    service = zeep.Client(f"{URL}/services/data?wsdl", transport=zeep.Transport(session=session)).service

    def outcome(header):
        """The code of the fault, or "answered"."""
        try:
            service.List(Prefix="/", Limit=1, _soapheaders=header)
        except zeep.exceptions.Fault as fault:
            return fault.detail.findtext("{urn:waybill:1}Fault/{urn:waybill:1}Code")
        return "answered"

    once = {"Token": token(mine, CERTIFICATE)}
    wrong = 0
    for what, header, expected in (("a token, shown once", once, "answered"), ("the same token again", once, "TokenReplayed"),
                                   ("a token of a stranger", {"Token": token(strangers, CERTIFICATE)}, "UntrustedKey"),
                                   ("a token for another instance", {"Token": token(mine, other)}, "BadToken"), ("no token", {}, "NoToken")):
        found = outcome(header)
        print(f"{what}: {found}" + ("" if found == expected else f", which is WRONG: it should be {expected}"))
        wrong += found != expected
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
