// SPDX-License-Identifier: GPL-3.0-or-later
// Has an instance run an algorithm on a file, with node's `soap` (npm install soap), knowing nothing but the served WSDL.
//   WAYBILL_URL=https://localhost:8443 NODE_EXTRA_CA_CERTS=lab.pem  node run.js ALGORITHM INPUT=FILE... [--PARAMETER=VALUE...]
// Each output is written into the working folder under its name.
"use strict";
const { execFileSync } = require("child_process");
const fs = require("fs");
const soap = require("soap");

const [algorithm, ...given] = process.argv.slice(2);
const url = process.env.WAYBILL_URL || "https://localhost:8443";

async function main() {
  const client = await soap.createClientAsync(`${url}/services/algorithms?wsdl`);
  const token = execFileSync("waybill", ["token", "--audience", url, "--operation", "Invoke", "--resource", algorithm]).toString().trim();
  client.addSoapHeader({ Token: token }, "", "wb", "urn:waybill:1");

  const inputs = [];
  const parameters = [];
  const attachments = [];
  for (const one of given) {
    const [name, value] = one.split(/=(.*)/s);
    if (name.startsWith("--")) {
      parameters.push({ attributes: { name: name.slice(2) }, $value: value });
    } else {
      const contentId = `input-${attachments.length}@example`;
      attachments.push({ mimetype: "application/octet-stream", contentId, name, body: fs.readFileSync(value) });
      inputs.push({ attributes: { name }, Attachment: `cid:${contentId}` });
    }
  }
  const request = { Algorithm: algorithm, Input: inputs, Parameter: parameters, Attach: "Inline" };
  const [made] = await client.InvokeAsync(request, { attachments });
  for (const output of made.Output || []) {
    const base64 = output.Content && (output.Content.$value ?? output.Content);
    const content = Buffer.from(typeof base64 === "string" ? base64 : "", "base64"); // an empty element is no text
    fs.writeFileSync(output.attributes.name, content);
    console.log(`${output.attributes.name}: ${output.ContentType}, ${content.length} bytes`);
  }
}

main().catch((error) => {
  const detail = error.root && error.root.Envelope && error.root.Envelope.Body.Fault;
  const reason = detail && (detail.faultstring || detail.Reason.Text);
  console.error(reason ? reason.$value || reason : error.message);
  process.exitCode = 1;
});
