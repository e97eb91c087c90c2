#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The recipes of docs/tokens.md: tokens made by plain openssl commands are opened by our code, tokens made by
# our code are opened by plain openssl commands; the claims of both are valid by wsdl/token.xsd. Argument: the program
# token_tool.
set -euo pipefail
tool=$1
schema=$(cd "$(dirname "$0")/../../../wsdl" && pwd)/token.xsd
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failures=0

check() { # WHAT COMMAND...
  if "${@:2}" > out 2> err; then
    echo "ok      $1"
  else
    echo "FAILED  $1"
    cat out err
    failures=$((failures + 1))
  fi
}
check_refused() { # WHAT COMMAND...
  if "${@:2}" > out 2> err; then
    echo "FAILED  $1: it was accepted"
    failures=$((failures + 1))
  else
    echo "ok      $1"
  fi
}

id_of() { openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1; }

plain_claims() { # ME.crt THEM.crt
  cat << END
<Claims xmlns="urn:waybill:token:1">
  <Id>$(openssl rand -hex 16)</Id>
  <Issuer>$(id_of "$1")</Issuer>
  <Audience>$(id_of "$2")</Audience>
  <Operation>Copy</Operation>
  <NotBefore>$(date -u +%Y-%m-%dT%H:%M:%SZ)</NotBefore>
  <NotAfter>$(date -u -d '+10 minutes' +%Y-%m-%dT%H:%M:%SZ)</NotAfter>
</Claims>
END
}

# The recipe to make a token. Arguments: ME (me.crt, me.key), THEM (them.crt), the kind of their key.
make_token() {
  local me=$1 them=$2 keyopt=(-keyopt ecdh_kdf_md:sha256)
  [ "$3" = rsa ] && keyopt=(-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256)
  plain_claims "$me.crt" "$them.crt" > claims.xml
  openssl cms -sign -binary -nodetach -nocerts -noattr -keyid -md sha256 -signer "$me.crt" -inkey "$me.key" -outform DER -in claims.xml -out 1 &&
  openssl cms -encrypt -binary -aes-256-gcm -keyid -recip "$them.crt" "${keyopt[@]}" -outform DER -in 1 -out 2 &&
  openssl cms -sign -binary -nodetach -nocerts -noattr -keyid -md sha256 -signer "$me.crt" -inkey "$me.key" -outform DER -in 2 | base64 -w0
}

# The recipe to open one, from standard input. Arguments: ME (me.crt, me.key), FROM (from.crt).
open_token() {
  local me=$1 from=$2
  base64 -d > ./3
  openssl cms -verify -binary -inform DER -in 3 -certfile "$from.crt" -nointern -noverify -out 2 &&
  openssl cms -decrypt -binary -inform DER -in 2 -recip "$me.crt" -inkey "$me.key" -out 1 &&
  openssl cms -verify -binary -inform DER -in 1 -certfile "$from.crt" -nointern -noverify -out claims.xml &&
  cat claims.xml
}

ours_opens() {
  make_token "$1/instance" "$2/instance" "$3" | "$tool" open "$2" "$1/instance.crt" || return 1
  xmllint --noout --nonet --schema "$schema" claims.xml
}
openssl_opens() {
  "$tool" seal "$1" "$2/instance.crt" | open_token "$2/instance" "$1/instance" > opened || return 1
  xmllint --noout --nonet --schema "$schema" opened || return 1
  grep -q '<Subject>Zoë &amp; co</Subject><Operation>Copy</Operation><Operation>Describe</Operation>' opened
}
openssl_refuses() { "$tool" seal "$1" "$2/instance.crt" | open_token "$2/instance" "$3/instance"; }

for kind in p256 rsa; do
  for who in me them; do
    "$tool" init "$who-$kind" "$kind" > id
    [ "$(cat id)" = "$(id_of "$who-$kind/instance.crt")" ] || { echo "FAILED  the id of $who-$kind"; failures=$((failures + 1)); }
  done
done
mkdir plain
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=plain -keyout plain/instance.key \
  -out plain/instance.crt 2> err
chmod 600 plain/instance.key

for mine in p256 rsa; do
  for theirs in p256 rsa; do
    check "openssl makes, we open: $mine to $theirs" ours_opens "me-$mine" "them-$theirs" "$theirs"
    check "we make, openssl opens: $mine to $theirs" openssl_opens "me-$mine" "them-$theirs"
  done
done
check "openssl makes with keys of its own, we open" ours_opens plain them-p256 p256
check "we make with openssl's keys, openssl opens" openssl_opens plain plain
check_refused "we refuse a token for somebody else" eval 'make_token me-p256/instance them-rsa/instance rsa | "$tool" open them-p256 me-p256/instance.crt'
check_refused "we refuse a token of somebody else" eval 'make_token plain/instance them-p256/instance p256 | "$tool" open them-p256 me-p256/instance.crt'
check_refused "openssl refuses a token of somebody else" openssl_refuses me-p256 them-p256 plain

exit "$((failures > 0))"
