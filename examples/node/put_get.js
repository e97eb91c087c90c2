// SPDX-License-Identifier: GPL-3.0-or-later
// Stores a file and fetches it again with node's `soap` (npm install soap), knowing nothing but the served WSDL.
//   WAYBILL_URL=https://localhost:8443 NODE_EXTRA_CA_CERTS=lab.pem  node put_get.js FILE PATH
// The bytes travel as an attachment both ways.
"use strict";
const { execFileSync } = require("child_process");
const fs = require("fs");
const soap = require("soap");

const [file, path] = process.argv.slice(2);
const url = process.env.WAYBILL_URL || "https://localhost:8443";

// A token is good for one call; so each call gets a new one.
function useNewToken(client, operation) {
  const token = execFileSync("waybill", ["token", "--audience", url, "--operation", operation, "--resource", path]).toString().trim();
  client.clearSoapHeaders();
  client.addSoapHeader({ Token: token }, "", "wb", "urn:waybill:1");
}

async function main() {
  const client = await soap.createClientAsync(`${url}/services/data?wsdl`, { parseReponseAttachments: true });
  const content = fs.readFileSync(file);

  useNewToken(client, "Receive");
  const attachments = [{ mimetype: "application/octet-stream", contentId: "file@example", name: "file", body: content }];
  const [receipt] = await client.ReceiveAsync({ Data: [{ Path: path, Attachment: "cid:file@example" }], Overwrite: "Always" }, { attachments });
  const stored = receipt.Data[0];
  console.log(`stored ${stored.Path}: ${stored.Size} bytes, sha-256 ${stored.Digest.$value}`);

  useNewToken(client, "Copy");
  await client.CopyAsync({ Data: [{ Path: path }], Attach: "SwA" });
  const fetched = Buffer.from(client.lastResponseAttachments.parts[0].body);
  const same = fetched.equals(content);
  console.log(`fetched: ${same ? "the same bytes" : "OTHER BYTES"}`);
  return same ? 0 : 1;
}

main().then((code) => { process.exitCode = code; }, (error) => { console.error(error.message); process.exitCode = 1; });
