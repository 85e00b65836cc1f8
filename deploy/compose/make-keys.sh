#!/bin/sh
# Makes what is missing of both sites' keys and lets each trust the other. On one machine nobody has to compare fingerprints by voice.
set -eu
srdf() { node /srdf/dist/client/bin.js "$@"; }
keys=/etc/srdf/keys
[ -e $keys/payload.key ] || srdf keys payload-key $keys/payload.key
[ -e $keys/paris/site.bundle ] || srdf keys generate source
[ -e $keys/frankfurt/site.bundle ] || srdf keys generate target
[ -e $keys/paris/trusted/frankfurt.bundle ] ||
  srdf keys trust source $keys/frankfurt/site.bundle --fingerprint "$(srdf keys show target --fingerprint)"
[ -e $keys/frankfurt/trusted/paris.bundle ] ||
  srdf keys trust target $keys/paris/site.bundle --fingerprint "$(srdf keys show source --fingerprint)"
