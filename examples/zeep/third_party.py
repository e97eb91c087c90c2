#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has one instance send what is at PATH to another, and waits until it is there.
    WAYBILL_URL=https://localhost:8443 WAYBILL_CA=lab.pem  third_party.py PATH https://OTHER:8443"""
import os
import subprocess
import sys
import time

import requests
import zeep
from lxml import etree

HERE, (PATH, THERE) = os.environ.get("WAYBILL_URL", "https://localhost:8443"), sys.argv[1:]


def token(instance, operation, *more):
    command = ["waybill", "token", "--audience", instance, "--operation", operation, *more]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


session = requests.Session()
session.trust_env, session.verify = False, os.environ.get("WAYBILL_CA", "lab.pem")
sent = zeep.plugins.HistoryPlugin()
service = zeep.Client(f"{HERE}/services/data?wsdl", transport=zeep.Transport(session=session), plugins=[sent]).service
headers = etree.fromstring(f"""<h xmlns:wb="urn:waybill:1" xmlns:wsa="http://www.w3.org/2005/08/addressing">
  <wb:Token>{token(HERE, "Copy", "--resource", PATH)}</wb:Token>
  <wsa:ReplyTo><wsa:Address>{THERE}/services/data</wsa:Address><wsa:ReferenceParameters>
    <wb:Token>{token(THERE, "Receive", "--resource", PATH)}</wb:Token><wb:Overwrite>Always</wb:Overwrite>
  </wsa:ReferenceParameters></wsa:ReplyTo></h>""")
service.Copy(Data=[{"Path": PATH}], Priority=4, _soapheaders=list(headers))  # HTTP 202: taken, and kept until it has arrived
message = sent.last_sent["envelope"].findtext(".//{http://www.w3.org/2005/08/addressing}MessageID")  # zeep made it
while (transfer := service.GetTransfer(message, _soapheaders={"Token": token(HERE, "GetTransfer")})).State in ("Queued", "Active"):
    time.sleep(0.2)
print(transfer.State, transfer.LastError or f"{transfer.Receipt[0].Path}: {transfer.Receipt[0].Size} bytes at {THERE}")
sys.exit(transfer.State != "Succeeded")
