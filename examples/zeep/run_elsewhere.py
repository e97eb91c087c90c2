#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run this at A, on data that is at B, keep the result at C, tell me: one call, and the caller may leave.

    WAYBILL_CA=all.pem  run_elsewhere.py ALGORITHM INPUT OUTPUT  A B PATH-AT-B  C PATH-AT-C  OWN

A, B, C and OWN, the instance that is told, are URLs such as https://a.example:8443. OWN has to be another than A, which knows the job already, and
than C, which knows what it keeps; the others may be the same."""
import os
import subprocess
import sys
import time

import requests
import zeep
from lxml import etree

ALGORITHM, INPUT, OUTPUT, A, B, SOURCE, C, TARGET, OWN = sys.argv[1:]
if OWN in (A, C):
    sys.exit("OWN has to be another instance than A and C: what they know of their own work is no receipt")
PATIENCE = 60  # seconds for the receipt, once the result has been delivered
NAMESPACES = 'xmlns:wb="urn:waybill:1" xmlns:wsa="http://www.w3.org/2005/08/addressing"'


def token(instance, operation, *more):
    command = ["waybill", "token", "--audience", instance, "--operation", operation, *more]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def service(instance, name):
    session = requests.Session()
    session.trust_env, session.verify = False, os.environ.get("WAYBILL_CA", "all.pem")
    transport = zeep.Transport(session=session)
    return zeep.Client(f"{instance}/services/{name}?wsdl", transport=transport, plugins=[sent]).service


sent = zeep.plugins.HistoryPlugin()
source = service(B, "data").Describe(Data=[{"Path": SOURCE}], _soapheaders={"Token": token(B, "Describe")})[0]
headers = etree.fromstring(f"""<h {NAMESPACES}>
  <wb:Token>{token(A, "Invoke", "--resource", ALGORITHM)}</wb:Token>
  <wsa:ReplyTo><wsa:Address>{C}/services/data</wsa:Address><wsa:ReferenceParameters>
    <wb:Token>{token(C, "Receive", "--resource", TARGET)}</wb:Token>
    <wb:Onward><wsa:Address>{OWN}/services/data</wsa:Address><wsa:ReferenceParameters>
      <wb:Token>{token(OWN, "Receive")}</wb:Token>
    </wsa:ReferenceParameters></wb:Onward>
  </wsa:ReferenceParameters></wsa:ReplyTo></h>""")
at_b = {"name": INPUT, "Href": source.Id, "Token": token(B, "Copy", "--resource", SOURCE)}
service(A, "algorithms").Invoke(Algorithm=ALGORITHM, Input=[at_b], Output=[{"name": OUTPUT, "Path": TARGET}], _soapheaders=list(headers))
job = sent.last_sent["envelope"].findtext(".//{http://www.w3.org/2005/08/addressing}MessageID")  # zeep made it
while (found := service(A, "algorithms").GetJob(job, _soapheaders={"Token": token(A, "GetJob")})).State in ("Queued", "Active"):
    time.sleep(0.2)
print(f"{A}: {found.State}", found.LastError or "")
if found.State != "Succeeded":
    sys.exit(1)
deadline = time.monotonic() + PATIENCE
while not (receipts := [one for one in service(OWN, "data").ListTransfers(_soapheaders={"Token": token(OWN, "ListTransfers")}).Transfer if one.MessageId == job]):
    if time.monotonic() > deadline:
        sys.exit(f"{OWN} was told nothing within {PATIENCE} seconds, though the result is at {C}: waybill transfers {C} says why")
    time.sleep(0.2)
print(f"{OWN} was told: {receipts[0].Source[0]}, {receipts[0].BytesTotal} bytes")
