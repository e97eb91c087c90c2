#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the token vectors of this folder anew, with plain openssl commands. The keys are kept when they are there.
# Signatures and encryption are random, so every run gives other files of the same meaning.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# --- keys -----------------------------------------------------------------------------------------------------------

new_key() { # NAME ec|rsa [subject key identifier]
  local name=$1 kind=$2 id=${3:-hash} options
  [ -e "$name.crt" ] && return
  printf '[req]\ndistinguished_name=dn\nx509_extensions=x\n[dn]\n[x]\nsubjectKeyIdentifier=%s\nbasicConstraints=critical,CA:FALSE\n' \
    "$id" > "$work/req.cnf"
  options=(ec -pkeyopt ec_paramgen_curve:P-256)
  [ "$kind" = rsa ] && options=(rsa:3072)
  openssl req -config "$work/req.cnf" -x509 -newkey "${options[@]}" -nodes -sha256 -days 36500 -subj "/CN=$name" \
    -keyout "$name.key" -out "$name.crt" 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
}

instance_id() { openssl x509 -in "$1.crt" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1; }
key_id() { openssl x509 -in "$1.crt" -noout -ext subjectKeyIdentifier | tail -1 | tr -d ' '; }

new_key alice ec
new_key rita rsa
new_key lab ec
new_key rsalab rsa
new_key stranger ec
new_key no-key-identifier ec none
rm -f no-key-identifier.key # nobody signs with it
new_key mallory ec "$(key_id alice)" # claims to be found where alice is

# --- the three layers -----------------------------------------------------------------------------------------------

plain=(-binary -nodetach -nocerts -noattr -keyid -md sha256)
sign() { # KEY IN OUT OPTIONS...
  openssl cms -sign -signer "$1.crt" -inkey "$1.key" -outform DER -in "$2" -out "$3" "${@:4}"
}
encrypt() { # RECIPIENT IN OUT OPTIONS...
  openssl cms -encrypt -binary -outform DER -in "$2" -out "$3" "${@:4}" -recip "$1.crt"
}
gcm=(-aes-256-gcm -keyid)
ecdh=(-keyopt ecdh_kdf_md:sha256)
oaep=(-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256)
encrypt_well() { # RECIPIENT IN OUT: `-keyopt` has to come after the `-recip` that it is for
  local how=("${ecdh[@]}")
  [ "$1" = rsalab ] && how=("${oaep[@]}")
  openssl cms -encrypt -binary "${gcm[@]}" -outform DER -in "$2" -out "$3" -recip "$1.crt" "${how[@]}"
}
name_it() { base64 -w0 "$work/$1" > "$2.b64"; } # FILE VECTOR

claims() { # ISSUER AUDIENCE [MIDDLE [NOT-BEFORE [NOT-AFTER]]]
  printf '<Claims xmlns="urn:waybill:token:1"><Id>00112233445566778899aabbccddeeff</Id><Issuer>%s</Issuer><Audience>%s</Audience>%s<NotBefore>%s</NotBefore><NotAfter>%s</NotAfter></Claims>' \
    "$(instance_id "$1")" "$(instance_id "$2")" "${3:-<Operation>Copy</Operation>}" \
    "${4:-2026-01-31T12:00:00Z}" "${5:-2026-01-31T12:30:00Z}"
}
seal() { # VECTOR [SIGNER [RECIPIENT]]: what stands in $work/claims
  sign "${2:-alice}" "$work/claims" "$work/1" "${plain[@]}"
  encrypt_well "${3:-lab}" "$work/1" "$work/2"
  sign "${2:-alice}" "$work/2" "$work/3" "${plain[@]}"
  name_it 3 "$1"
}
from_inner() { # VECTOR: what stands in $work/1
  encrypt_well lab "$work/1" "$work/2"
  from_middle "$1"
}
from_middle() { # VECTOR: what stands in $work/2
  sign "${outer:-alice}" "$work/2" "$work/3" "${plain[@]}"
  name_it 3 "$1"
}

rm -f ./*.b64

# --- good ones ------------------------------------------------------------------------------------------------------

claims alice lab > "$work/claims"
seal Opens.p256-to-p256
base64 -w64 "$work/3" > Opens.line-breaks.b64
claims rita lab > "$work/claims";     seal Opens.rsa-to-p256 rita lab
claims alice rsalab > "$work/claims"; seal Opens.p256-to-rsa alice rsalab
claims rita rsalab > "$work/claims";  seal Opens.rsa-to-rsa rita rsalab
claims alice lab '<Subject>Ren&#233;</Subject><Operation>Copy</Operation><Operation>Receive</Operation><Resource>/docs</Resource><Resource>00000000000000000000000000000001</Resource><ReplyTo>https://example.org/a?b=1&amp;c=2</ReplyTo>' > "$work/claims"
seal Opens.all-claims
{ echo '<?xml version="1.0" encoding="UTF-8"?>'; claims alice lab | sed 's/></>\n  </g'; echo; } > "$work/claims"
seal Opens.claims-on-lines

# --- the outer and the inner signature ------------------------------------------------------------------------------

claims alice lab > "$work/claims"
sign alice "$work/claims" "$work/good1" "${plain[@]}"
encrypt_well lab "$work/good1" "$work/good2"
sign alice "$work/good2" "$work/good3" "${plain[@]}"

odd_signatures() { # PREFIX IN: writes $work/odd and calls `finish NAME` for each
  local prefix=$1 in=$2
  sign alice "$in" "$work/odd" -binary -nodetach -noattr -keyid -md sha256;          finish "$prefix-certificate-inside"
  sign alice "$in" "$work/odd" -binary -nodetach -nocerts -keyid -md sha256;         finish "$prefix-signed-attributes"
  sign alice "$in" "$work/odd" -binary -nodetach -nocerts -noattr -md sha256;        finish "$prefix-by-issuer-and-serial"
  sign alice "$in" "$work/odd" -binary -nodetach -nocerts -noattr -keyid -md sha1;   finish "$prefix-sha1"
  sign alice "$in" "$work/odd" -binary -nodetach -nocerts -noattr -keyid -md sha384; finish "$prefix-sha384"
  sign alice "$in" "$work/odd" -binary -nocerts -noattr -keyid -md sha256;           finish "$prefix-detached"
  sign alice "$in" "$work/odd" "${plain[@]}" -stream -indef;                         finish "$prefix-indefinite-length"
  sign alice "$in" "$work/odd" "${plain[@]}" -econtent_type 1.2.3.4;                 finish "$prefix-other-content-type"
  sign alice "$in" "$work/odd" "${plain[@]}" -signer rita.crt -inkey rita.key;       finish "$prefix-two-signers"
  sign alice "$in" "$work/once" "${plain[@]}"
  openssl cms -resign -inform DER -outform DER -nodetach -nocerts -noattr -keyid -md sha256 -in "$work/once" \
    -signer alice.crt -inkey alice.key -out "$work/odd";                             finish "$prefix-signed-twice"
  sign rita "$in" "$work/odd" "${plain[@]}" -keyopt rsa_padding_mode:pss;            outer=rita finish "$prefix-rsa-pss"
  sign mallory "$in" "$work/odd" "${plain[@]}";                                      finish "$prefix-key-identifier-of-another"
  sign mallory "$in" "$work/odd" -binary -nodetach -noattr -keyid -md sha256;        finish "$prefix-certificate-of-attacker-inside"
}
finish() { name_it odd "BadToken.$1"; }
odd_signatures outer "$work/good2"
finish() { cp "$work/odd" "$work/1"; from_inner "BadToken.$1"; }
odd_signatures inner "$work/claims"

sign rita "$work/claims" "$work/1" "${plain[@]}";  from_inner BadToken.layers-by-different-keys
cp "$work/claims" "$work/1";                       from_inner BadToken.inner-layer-missing
cp "$work/good2" "$work/odd";                      name_it odd BadToken.outer-layer-missing
cp "$work/good1" "$work/2";                        from_middle BadToken.middle-layer-missing
cp "$work/good3" "$work/2";                        from_middle BadToken.outer-layer-twice
sign stranger "$work/good2" "$work/3" "${plain[@]}"; name_it 3 UntrustedKey.unknown-signer

# --- the encryption -------------------------------------------------------------------------------------------------

encrypt lab "$work/good1" "$work/2" -aes-256-cbc -keyid;  from_middle BadToken.middle-enveloped-cbc
openssl cms -encrypt -binary -aes-256-cbc -keyid -outform DER -in "$work/good1" -out "$work/2" -recip lab.crt "${ecdh[@]}"
from_middle BadToken.middle-enveloped-cbc-sha256
openssl cms -encrypt -binary -aes-128-gcm -keyid -outform DER -in "$work/good1" -out "$work/2" -recip lab.crt "${ecdh[@]}"
from_middle BadToken.middle-aes-128-gcm
encrypt lab "$work/good1" "$work/2" "${gcm[@]}";          from_middle BadToken.middle-ecdh-sha1
openssl cms -encrypt -binary -aes-256-gcm -outform DER -in "$work/good1" -out "$work/2" -recip lab.crt "${ecdh[@]}"
from_middle BadToken.middle-by-issuer-and-serial
openssl cms -encrypt -binary "${gcm[@]}" -outform DER -in "$work/good1" -out "$work/2" -recip lab.crt "${ecdh[@]}" \
  -recip stranger.crt "${ecdh[@]}"
from_middle BadToken.middle-two-recipients
openssl cms -encrypt -binary "${gcm[@]}" -stream -indef -outform DER -in "$work/good1" -out "$work/2" -recip lab.crt "${ecdh[@]}"
from_middle BadToken.middle-indefinite-length
openssl cms -encrypt -binary -aes-256-gcm -outform DER -in "$work/good1" -out "$work/2" \
  -secretkey 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f -secretkeyid "$(key_id lab | tr -d :)"
from_middle BadToken.middle-shared-secret
encrypt_well stranger "$work/good1" "$work/2";            from_middle BadToken.middle-for-another-instance
claims alice rsalab > "$work/claims"
sign alice "$work/claims" "$work/1" "${plain[@]}"
encrypt rsalab "$work/1" "$work/2" "${gcm[@]}";           from_middle BadToken.middle-pkcs1-to-rsa
openssl cms -encrypt -binary -aes-128-gcm -keyid -outform DER -in "$work/1" -out "$work/2" -recip rsalab.crt "${oaep[@]}"
from_middle BadToken.middle-aes-128-gcm-to-rsa
openssl cms -encrypt -binary "${gcm[@]}" -outform DER -in "$work/1" -out "$work/2" -recip rsalab.crt \
  -keyopt rsa_padding_mode:oaep
from_middle BadToken.middle-oaep-sha1-to-rsa
openssl cms -encrypt -binary "${gcm[@]}" -outform DER -in "$work/1" -out "$work/2" -recip rsalab.crt "${oaep[@]}" \
  -keyopt rsa_mgf1_md:sha1
from_middle BadToken.middle-oaep-mask-sha1-to-rsa
openssl cms -encrypt -binary "${gcm[@]}" -outform DER -in "$work/1" -out "$work/2" -recip rsalab.crt "${oaep[@]}" \
  -keyopt rsa_oaep_label:77
from_middle BadToken.middle-oaep-label-to-rsa

# --- the encoding ---------------------------------------------------------------------------------------------------

{ cat "$work/good3"; printf '\0'; } | base64 -w0 > BadToken.bytes-after-the-end.b64
head -c -1 "$work/good3" | base64 -w0 > BadToken.cut-short.b64
cat "$work/good3" "$work/good3" | base64 -w0 > BadToken.two-in-one.b64
printf '' > BadToken.empty.b64
printf ' \n' > BadToken.blank.b64
echo 'This is no token.' > BadToken.not-base64.b64
base64 -w0 "$work/good3" | sed 's/./& /40' > BadToken.base64-with-a-blank-inside.b64
base64 -w0 "$work/good3" | tr '+/' '-_' | sed 's/^M/-/' > BadToken.base64-of-urls.b64
printf 'AAAA' > BadToken.zeros.b64
printf 'MB==' > BadToken.base64-with-bits-left-over.b64
base64 -w0 "$work/good3" | sed 's/^..../&==/' > BadToken.base64-padded-inside.b64
head -c 12289 /dev/zero | base64 -w0 > BadToken.too-long.b64

# --- the claims: from here on the caller is known and is told what is wrong --------------------------------------------

bad_claims() { seal "BadToken.claims-$1"; }
claims stranger lab > "$work/claims";                                     bad_claims of-another-issuer
claims alice stranger > "$work/claims";                                   bad_claims for-another-audience
claims alice lab '' 2026-01-31T12:00:00Z 2026-01-31T13:00:01Z > "$work/claims"; bad_claims too-long-lived
claims alice lab '' 2026-01-31T12:00:00Z 2026-01-31T12:00:00Z > "$work/claims"; bad_claims ending-when-they-begin
claims alice lab '' 2026-01-31T12:00:00 > "$work/claims";                 bad_claims with-local-time
claims alice lab | sed 's,<NotAfter>.*</NotAfter>,,' > "$work/claims";    bad_claims without-an-end
claims alice lab | sed 's,<NotBefore>.*</NotBefore>,,' > "$work/claims";  bad_claims without-a-beginning
claims alice lab | sed 's,<Operation>.*</Operation>,,' > "$work/claims";  bad_claims without-operation
claims alice lab '<Operation></Operation>' > "$work/claims";              bad_claims with-an-empty-operation
claims alice lab '<Operation>Copy</Operation><Subject>x</Subject>' > "$work/claims"; bad_claims out-of-order
claims alice lab '<Operation>Copy</Operation><Extra>x</Extra>' > "$work/claims"; bad_claims with-another-element
claims alice lab '<Subject></Subject><Operation>Copy</Operation>' > "$work/claims"; bad_claims with-an-empty-subject
claims alice lab '<Operation x="1">Copy</Operation>' > "$work/claims";    bad_claims with-an-attribute
claims alice lab '<Operation>C<b/>opy</Operation>' > "$work/claims";      bad_claims with-an-element-inside
claims alice lab 'text<Operation>Copy</Operation>' > "$work/claims";      bad_claims with-text-between
claims alice lab | sed 's,<Id>,<Id>0,' > "$work/claims";                  bad_claims with-a-longer-id
claims alice lab | sed 's,aabb,AABB,' > "$work/claims";                   bad_claims with-an-upper-case-id
claims alice lab | sed 's,<Id>.*</Id>,&&,' > "$work/claims";              bad_claims with-two-ids
claims alice lab | sed 's,urn:waybill:token:1,urn:waybill:token:2,' > "$work/claims"; bad_claims of-another-namespace
claims alice lab | sed 's,Claims,Token,g' > "$work/claims";               bad_claims of-another-name
{ echo '<!DOCTYPE Claims [<!ENTITY c "Copy">]>'; claims alice lab '<Operation>&c;</Operation>'; } > "$work/claims"; bad_claims with-a-doctype
claims alice lab | iconv -t UTF-16 > "$work/claims";                      bad_claims in-utf-16
{ claims alice lab; claims alice lab; } > "$work/claims";                 bad_claims with-two-roots
printf 'NotAfter: 2026-01-31T12:30:00Z' > "$work/claims";                 bad_claims that-are-not-xml
: > "$work/claims";                                                       bad_claims that-are-empty
claims alice lab '' 2026-01-31T11:30:00Z 2026-01-31T12:00:00Z > "$work/claims"; seal TokenExpired.ended
claims alice lab '' 2026-01-31T12:20:00Z 2026-01-31T12:30:00Z > "$work/claims"; seal TokenExpired.not-yet-valid

ls ./*.b64 | wc -l
