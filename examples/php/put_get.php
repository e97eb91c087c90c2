<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Stores a file and fetches it again with PHP's SoapClient, knowing nothing but the served WSDL.
//   WAYBILL_URL=https://localhost:8443 WAYBILL_CA=lab.pem  php put_get.php FILE PATH
// PHP has no attachments: the bytes travel inline, both ways (Attach "Inline"; the instance has a limit on it, 8 MiB unless set).

[, $file, $path] = $argv;
$url = getenv("WAYBILL_URL") ?: "https://localhost:8443";
$ca = getenv("WAYBILL_CA") ?: "lab.pem";

// A token is good for one call; so each call gets a new one.
function call(SoapClient $client, string $operation, array $arguments, string $url, string $path) {
  $token = trim(shell_exec(sprintf("waybill token --audience %s --operation %s --resource %s", escapeshellarg($url), $operation, escapeshellarg($path))));
  $client->__setSoapHeaders(new SoapHeader("urn:waybill:1", "Token", $token));
  return $client->__soapCall($operation, [$arguments]);
}

$client = new SoapClient("$url/services/data?wsdl", [
  "cache_wsdl" => WSDL_CACHE_NONE,
  "features" => SOAP_SINGLE_ELEMENT_ARRAYS,
  "stream_context" => stream_context_create(["ssl" => ["cafile" => $ca]]),
]);
$content = file_get_contents($file);
$receipt = call($client, "Receive", ["Data" => ["Path" => $path, "Content" => ["_" => $content]], "Overwrite" => "Always"], $url, $path);
printf("stored %s: %d bytes, sha-256 %s\n", $receipt->Data[0]->Path, $receipt->Data[0]->Size, $receipt->Data[0]->Digest->_);

$reply = call($client, "Copy", ["Data" => ["Path" => $path], "Attach" => "Inline"], $url, $path);
$same = ($reply->Data[0]->Content->_ ?? "") === $content;
echo "fetched: " . ($same ? "the same bytes" : "OTHER BYTES") . "\n";
exit($same ? 0 : 1);
