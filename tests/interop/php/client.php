<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Makes one call with PHP's SoapClient, knowing nothing but the served WSDL: reads {wsdl, ca, version, operation, token, arguments} as JSON from standard
// input, prints {reply} or {fault}. Bytes are base64 in the JSON under "base64", and raw in PHP, whose SOAP extension encodes them.

$task = json_decode(file_get_contents("php://stdin"), true);

function unpack_bytes($value) {
  if (!is_array($value)) {
    return $value;
  }
  if (array_key_exists("base64", $value)) {
    return ["_" => base64_decode($value["base64"])];
  }
  return array_map("unpack_bytes", $value);
}

function pack_bytes($value, $name = "") {
  if (is_object($value) || is_array($value)) {
    $packed = [];
    foreach ((array)$value as $key => $item) {
      $packed[$key] = pack_bytes($item, $name === "Content" ? "Content" : $key);
    }
    return $packed;
  }
  return $name === "Content" && is_string($value) ? ["base64" => base64_encode($value)] : $value;
}

try {
  $client = new SoapClient($task["wsdl"], [
    "soap_version" => $task["version"] === "1.2" ? SOAP_1_2 : SOAP_1_1,
    "cache_wsdl" => WSDL_CACHE_NONE,
    "exceptions" => true,
    "features" => SOAP_SINGLE_ELEMENT_ARRAYS,
    "stream_context" => stream_context_create(["ssl" => ["cafile" => $task["ca"], "verify_peer" => true, "verify_peer_name" => true]]),
  ]);
  if ($task["token"] !== "") {
    $client->__setSoapHeaders(new SoapHeader("urn:waybill:1", "Token", $task["token"]));
  }
  $reply = $client->__soapCall($task["operation"], [unpack_bytes($task["arguments"])]);
  echo json_encode(["reply" => pack_bytes($reply)], JSON_THROW_ON_ERROR);
} catch (SoapFault $fault) {
  echo json_encode(["fault" => ["code" => $fault->faultcode, "text" => $fault->getMessage(), "detail" => isset($fault->detail) ? $fault->detail : null]]);
}
