#!/bin/sh
# Prints vectors of Apache's htpasswd and of openssl passwd.
set -eu

vector() { # format kind hash password
    printf '%s{"format": "%s", "kind": "%s", "hash": "%s", "password": "%s"}' "$separator" "$1" "$2" "$3" "$4"
    separator=',
'
}
apache() { # option password
    printf %s "$2" | htpasswd -n -i "$1" ${3-} name | sed -n 's/^name://p'
}

separator=
version="apache2-utils $(dpkg-query -W -f '${Version}' apache2-utils), $(openssl version)"
printf '{"software": "htpasswd, openssl passwd", "version": "%s", "how": "htpasswd -n -i, openssl passwd -stdin", "vectors": [\n' "$version"
for text in 'correct horse battery staple' 'pässwörd Жы 🔑'; do
    vector 'htpasswd -m' apr1 "$(apache -m "$text")" "$text"
    vector 'htpasswd -s' sha1 "$(apache -s "$text")" "$text"
    vector 'htpasswd -B' bcrypt "$(apache -B "$text" '-C 4')" "$text"
    for option in '1 md5-crypt' 'apr1 apr1' '5 sha256-crypt' '6 sha512-crypt'; do
        hash=$(printf '%s\n' "$text" | openssl passwd "-${option% *}" -stdin)
        vector "openssl passwd -${option% *}" "${option#* }" "$hash" "$text"
    done
done
printf '\n]}\n'
