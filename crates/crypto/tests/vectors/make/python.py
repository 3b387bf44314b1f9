"""Prints vectors of the Python packages into the folder that is named."""

import json
import os
import pathlib
import sys
import warnings
from importlib.metadata import version

import argon2
import bcrypt
import django
import passlib
import passlib.hash

from django.conf import settings
from django.contrib.auth import hashers
from werkzeug.security import generate_password_hash

warnings.simplefilter("ignore")
# passlib 1.7.4 does not understand bcrypt from 4.1 on.
os.environ["PASSLIB_BUILTIN_BCRYPT"] = "enabled"
passlib.hash.bcrypt.set_backend("builtin")
settings.configure()

PLAIN = "correct horse battery staple"
FOREIGN = "pässwörd Жы 🔑"
PASSWORDS = [PLAIN, FOREIGN]
LONG = "0123456789" * 8

def write(name, version, how, vectors):
    folder = pathlib.Path(sys.argv[1])
    body = {"software": name, "version": version, "how": how, "vectors": vectors}
    (folder / f"{name.lower()}.json").write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n")

def vectors(format, kind, make, passwords=PASSWORDS):
    for password in passwords:
        yield {"format": format, "kind": kind, "hash": make(password), "password": password}

def passlib_vectors():
    h = passlib.hash
    table = [
        ("bcrypt", "bcrypt", h.bcrypt.using(rounds=4)),
        ("bcrypt_sha256 version 1", "bcrypt-sha256", h.bcrypt_sha256.using(rounds=4, version=1)),
        ("bcrypt_sha256 version 2", "bcrypt-sha256", h.bcrypt_sha256.using(rounds=4)),
        ("scrypt", "scrypt", h.scrypt.using(rounds=8, block_size=8, parallelism=2)),
        ("pbkdf2_sha1", "pbkdf2-sha1", h.pbkdf2_sha1.using(rounds=1000)),
        ("pbkdf2_sha256", "pbkdf2-sha256", h.pbkdf2_sha256.using(rounds=1000)),
        ("pbkdf2_sha512", "pbkdf2-sha512", h.pbkdf2_sha512.using(rounds=1000)),
        ("md5_crypt", "md5-crypt", h.md5_crypt),
        ("apr_md5_crypt", "apr1", h.apr_md5_crypt),
        ("sha256_crypt", "sha256-crypt", h.sha256_crypt.using(rounds=1500)),
        ("sha256_crypt, 5000 rounds", "sha256-crypt", h.sha256_crypt.using(rounds=5000)),
        ("sha512_crypt", "sha512-crypt", h.sha512_crypt.using(rounds=1500)),
        ("phpass", "phpass", h.phpass.using(rounds=7)),
        ("phpass of phpBB 3", "phpass", h.phpass.using(rounds=7, ident="H")),
        ("ldap_md5", "md5", h.ldap_md5),
        ("ldap_sha1", "sha1", h.ldap_sha1),
        ("ldap_salted_md5", "md5", h.ldap_salted_md5),
        ("ldap_salted_sha1", "sha1", h.ldap_salted_sha1),
        ("ldap_salted_sha256", "sha256", h.ldap_salted_sha256),
        ("ldap_salted_sha512", "sha512", h.ldap_salted_sha512),
        ("ldap_pbkdf2_sha1", "pbkdf2-sha1", h.ldap_pbkdf2_sha1.using(rounds=1000)),
        ("ldap_pbkdf2_sha256", "pbkdf2-sha256", h.ldap_pbkdf2_sha256.using(rounds=1000)),
        ("ldap_pbkdf2_sha512", "pbkdf2-sha512", h.ldap_pbkdf2_sha512.using(rounds=1000)),
        ("ldap_md5_crypt", "md5-crypt", h.ldap_md5_crypt),
        ("ldap_sha512_crypt", "sha512-crypt", h.ldap_sha512_crypt.using(rounds=1500)),
        ("ldap_bcrypt", "bcrypt", h.ldap_bcrypt.using(rounds=4)),
        ("django_salted_md5", "md5", h.django_salted_md5),
        ("django_salted_sha1", "sha1", h.django_salted_sha1),
    ]
    for format, kind, handler in table:
        yield from vectors(format, kind, handler.hash)
    yield from vectors("hex_md5", "md5", lambda p: "{md5}" + h.hex_md5.hash(p))
    yield from vectors("hex_sha1", "sha1", lambda p: "{sha1}" + h.hex_sha1.hash(p))
    yield from vectors("hex_sha256", "sha256", lambda p: "{sha256}" + h.hex_sha256.hash(p))
    yield from vectors("hex_sha512", "sha512", lambda p: "{sha512}" + h.hex_sha512.hash(p))
    yield from vectors("nthash", "ntlm", lambda p: "{ntlm}" + h.nthash.hash(p), [*PASSWORDS, LONG, ""])

def django_vectors():
    class Pbkdf2(hashers.PBKDF2PasswordHasher):
        iterations = 1000

    class Pbkdf2Sha1(hashers.PBKDF2SHA1PasswordHasher):
        iterations = 1000

    class Argon2(hashers.Argon2PasswordHasher):
        time_cost, memory_cost, parallelism = 2, 256, 2

    class Bcrypt(hashers.BCryptPasswordHasher):
        rounds = 4

    class BcryptSha256(hashers.BCryptSHA256PasswordHasher):
        rounds = 4

    class Scrypt(hashers.ScryptPasswordHasher):
        work_factor = 2**8
        parallelism = 1  # small, to be quick; one vector of the file has Django's default shape (N = 2**14, p = 5), made by hand

    table = [
        ("pbkdf2-sha256", Pbkdf2()),
        ("pbkdf2-sha1", Pbkdf2Sha1()),
        ("argon2id", Argon2()),
        ("bcrypt", Bcrypt()),
        ("bcrypt-sha256", BcryptSha256()),
        ("scrypt", Scrypt()),
        ("md5", hashers.MD5PasswordHasher()),
    ]
    for kind, hasher in table:
        # The package bcrypt refuses what its function would cut.
        passwords = PASSWORDS if kind == "bcrypt" else [*PASSWORDS, LONG]
        yield from vectors(hasher.algorithm, kind, lambda p: hasher.encode(p, hasher.salt()), passwords)

def bcrypt_vectors():
    make = lambda prefix: lambda p: bcrypt.hashpw(p.encode()[:72], bcrypt.gensalt(4, prefix)).decode()
    yield from vectors("2a", "bcrypt", make(b"2a"), [*PASSWORDS, LONG, ""])
    yield from vectors("2b", "bcrypt", make(b"2b"), [*PASSWORDS, LONG, ""])

def argon2_vectors():
    for kind, type in [("argon2d", argon2.Type.D), ("argon2i", argon2.Type.I), ("argon2id", argon2.Type.ID)]:
        for revision in (16, 19):
            make = lambda p: argon2.low_level.hash_secret(p.encode(), b"0123456789abcdef", 3, 64, 4, 24, type, revision).decode()
            yield from vectors(f"{kind} version {revision}", kind, make, [*PASSWORDS, LONG, ""])
    hasher = argon2.PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1)
    yield from vectors("argon2id at our own cost", "argon2id", hasher.hash, [FOREIGN])

def werkzeug_vectors():
    for method, kind in [
        ("scrypt:256:8:1", "scrypt"),
        ("pbkdf2:sha256:1000", "pbkdf2-sha256"),
        ("pbkdf2:sha1:1000", "pbkdf2-sha1"),
        ("pbkdf2:sha512:1000", "pbkdf2-sha512"),
    ]:
        yield from vectors(method, kind, lambda p: generate_password_hash(p, method))

write("passlib", passlib.__version__, "passlib.hash.<format>.hash; hex digests with our mark before them", [*passlib_vectors()])
write("django", django.__version__, "django.contrib.auth.hashers, encode with a random salt", [*django_vectors()])
write("bcrypt", bcrypt.__version__, "bcrypt.hashpw of the first 72 bytes", [*bcrypt_vectors()])
write("argon2-cffi", version("argon2-cffi"), "argon2.low_level.hash_secret (the C reference)", [*argon2_vectors()])
write("werkzeug", version("werkzeug"), "werkzeug.security.generate_password_hash", [*werkzeug_vectors()])
