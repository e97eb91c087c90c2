#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends what is at PATH from the first instance to the second, from there to the third, and so on: all written here, in one envelope. The last
one's receipt goes to HOME_URL, an instance of our own, where we can ask for it.

    WAYBILL_CA=all.pem  chain.py PATH HOME_URL FIRST_URL SECOND_URL ...

all.pem holds the certificates of HOME_URL and of all the others. Each must trust the next as `waybill trust` does, so that it may call it."""
import os
import subprocess
import sys
import time

import requests
import zeep
from lxml import etree

NAMESPACES = 'xmlns:wb="urn:waybill:1" xmlns:wsa="http://www.w3.org/2005/08/addressing"'


def token(instance, operation, *more):
    command = ["waybill", "token", "--audience", instance, "--operation", operation, *more]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def endpoint(url, path, after):
    """What an endpoint reference holds: the address, the token for it, and where its own response goes, if anywhere."""
    return (f"<wsa:Address>{url}/services/data</wsa:Address><wsa:ReferenceParameters>"
            f"<wb:Token>{token(url, 'Receive', '--resource', path)}</wb:Token><wb:Overwrite>Always</wb:Overwrite>{after}</wsa:ReferenceParameters>")


def reply_to(path, stations, home):
    """Written from the end: each reference is a reference parameter of the one before."""
    inner = f"<wb:Onward>{endpoint(home, path, '')}</wb:Onward>"  # the receipt
    for url in reversed(stations[1:]):
        inner = f'<wb:Onward wb:send="Data">{endpoint(url, path, inner)}</wb:Onward>'
    return f"<wsa:ReplyTo>{endpoint(stations[0], path, inner)}</wsa:ReplyTo>"


def main():
    path, home, first, *others = sys.argv[1:]
    session = requests.Session()
    session.trust_env, session.verify = False, os.environ.get("WAYBILL_CA", "all.pem")
    sent = zeep.plugins.HistoryPlugin()
    service = {url: zeep.Client(f"{url}/services/data?wsdl", transport=zeep.Transport(session=session), plugins=[sent]).service for url in (first, *others, home)}

    headers = etree.fromstring(f'<h {NAMESPACES}><wb:Token>{token(first, "Copy", "--resource", path)}</wb:Token>{reply_to(path, others, home)}</h>')
    service[first].Copy(Data=[{"Path": path}], _soapheaders=list(headers))
    message = sent.last_sent["envelope"].findtext(".//{http://www.w3.org/2005/08/addressing}MessageID")

    # Every station has a transfer under the first message's id; so has the end, when the receipt is there. A fault between two of them shows here by silence alone.
    until = time.monotonic() + float(os.environ.get("WAYBILL_WAIT", "600"))
    for url in (first, *others, home):
        transfer = None
        while transfer is None or transfer.State in ("Queued", "Active"):
            time.sleep(0.1)
            if time.monotonic() > until:
                print(f"{url}: {'no sign of it' if transfer is None else transfer.State} when the time was over (WAYBILL_WAIT); 'waybill transfers' there and at the one before may tell why")
                return 1
            try:
                transfer = service[url].GetTransfer(message, _soapheaders={"Token": token(url, "GetTransfer")})
            except zeep.exceptions.Fault as fault:  # the message has not come so far
                if fault.detail.findtext("{urn:waybill:1}Fault/{urn:waybill:1}Code") != "NoSuchTransfer":
                    raise
        print(f"{url}: {transfer.State} {transfer.LastError or ''}".rstrip())
        if transfer.State != "Succeeded":
            return 1
    receipt = transfer.Receipt[0]
    print(f"arrived as {receipt.Id}: {receipt.Size} bytes, sha-256 {receipt.Digest._value_1}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
