#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# An instance's own certificate is what TLS clients are given to trust: openssl, curl and Python (strictest checks) connect to
# a TLS server that shows it. Argument: the program token_tool.
set -euo pipefail
tool=$1
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"

connect_with_python() { # CERTIFICATE PORT
  python3 - "$@" << 'END'
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
context.verify_flags |= ssl.VERIFY_X509_STRICT
for host in "localhost", "127.0.0.1":
    with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as plain:
        with context.wrap_socket(plain, server_hostname=host) as tls:
            assert tls.version() == "TLSv1.3", tls.version()
try:
    with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as plain:
        context.wrap_socket(plain, server_hostname="example.org")
    sys.exit("a name that is not in the certificate was accepted")
except ssl.SSLCertVerificationError:
    pass
END
}

for kind in p256 rsa; do
  "$tool" init "$kind" "$kind" > id
  crt=$kind/instance.crt
  openssl verify -x509_strict -CAfile "$crt" -purpose sslserver -verify_hostname localhost "$crt"
  openssl s_server -www -accept 127.0.0.1:0 -cert "$crt" -key "$kind/instance.key" > log 2>&1 < /dev/null &
  server=$!
  port=
  for _ in $(seq 100); do
    port=$(sed -n 's/^ACCEPT 127.0.0.1:\([0-9]*\)$/\1/p' log)
    [ -n "$port" ] && break
    sleep 0.1
  done
  [ -n "$port" ] || { echo "openssl s_server did not start:"; cat log; exit 1; }
  for host in localhost 127.0.0.1; do
    curl --silent --show-error --fail --output page --cacert "$crt" --noproxy '*' "https://$host:$port/"
    grep -q 'Cipher' page
  done
  connect_with_python "$crt" "$port"
  echo "ok      $kind"
  kill "$server"
  wait "$server" || true
  server=
done
