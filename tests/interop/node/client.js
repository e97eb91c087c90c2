// SPDX-License-Identifier: GPL-3.0-or-later
// Makes one call with node's `soap`, knowing nothing but the served WSDL: reads {wsdl, port, operation, token, arguments, attachments} as JSON from
// standard input (attachments: content id to base64), prints {reply, attachments} or {fault}.
"use strict";
const fs = require("fs");
const soap = require("soap");

async function main() {
  const task = JSON.parse(fs.readFileSync(0, "utf8"));
  const options = { parseReponseAttachments: true, forceSoap12Headers: task.port.endsWith("12") };
  const client = await soap.createClientAsync(task.wsdl, options);
  if (task.token) {
    client.addSoapHeader({ Token: task.token }, "", "wb", "urn:waybill:1");
  }
  const attachments = Object.entries(task.attachments || {}).map(([contentId, body]) => ({
    mimetype: "application/octet-stream", contentId, name: contentId, body: Buffer.from(body, "base64"),
  }));
  const [service] = Object.keys(client.wsdl.services);
  const call = client[service][task.port][task.operation];
  const outcome = await new Promise((resolve) => {
    call(task.arguments, (error, reply) => {
      if (error) {
        const envelope = error.root && error.root.Envelope;
        return resolve({ fault: envelope ? envelope.Body.Fault : String(error) });
      }
      const parts = client.lastResponseAttachments ? client.lastResponseAttachments.parts : [];
      resolve({ reply, attachments: parts.map((part) => ({ headers: part.headers, body: Buffer.from(part.body).toString("base64") })) });
    }, attachments.length ? { attachments } : {});
  });
  fs.writeSync(1, JSON.stringify(outcome));
}

main().catch((error) => { console.error(error); process.exit(1); });
