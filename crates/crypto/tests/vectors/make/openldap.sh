#!/bin/sh
# Prints vectors of OpenLDAP's slappasswd with the modules of Debian's slapd-contrib.
set -eu

vector() { # format kind module password
    hash=$(printf %s "$4" > "$password" && slappasswd -n -o module-load="$3" -h "$1" -T "$password")
    printf '%s{"format": "%s", "kind": "%s", "hash": "%s", "password": "%s"}' "$separator" "$1" "$2" "$hash" "$4"
    separator=',
'
}

password=$(mktemp)
trap 'rm -f "$password"' EXIT
separator=
version=$(dpkg-query -W -f '${Version}' slapd)
printf '{"software": "OpenLDAP", "version": "%s", "how": "slappasswd -h <format>", "vectors": [\n' "$version"
for text in 'correct horse battery staple' 'pässwörd Жы 🔑'; do
    vector '{SSHA}' sha1 pw-sha2.so "$text"
    vector '{SHA}' sha1 pw-sha2.so "$text"
    vector '{SMD5}' md5 pw-sha2.so "$text"
    vector '{MD5}' md5 pw-sha2.so "$text"
    for bits in 256 384 512; do
        vector "{SSHA$bits}" "sha$bits" pw-sha2.so "$text"
        vector "{SHA$bits}" "sha$bits" pw-sha2.so "$text"
    done
    vector '{PBKDF2}' pbkdf2-sha1 pw-pbkdf2.so "$text"
    vector '{PBKDF2-SHA1}' pbkdf2-sha1 pw-pbkdf2.so "$text"
    vector '{PBKDF2-SHA256}' pbkdf2-sha256 pw-pbkdf2.so "$text"
    vector '{PBKDF2-SHA512}' pbkdf2-sha512 pw-pbkdf2.so "$text"
    vector '{ARGON2}' argon2i argon2.so "$text"
done
printf '\n]}\n'
