# Prints vectors of the system's crypt(3), which must be libxcrypt; the version is that of the package.
use strict;
use warnings;

my @passwords = ("correct horse battery staple", "p\xc3\xa4ssw\xc3\xb6rd \xd0\x96\xd1\x8b \xf0\x9f\x94\x91", "p\xe4ss\xff\xa3",
    "0123456789" x 8, "");
my %settings = (
    "md5-crypt"    => ['$1$saltsalt', '$1$s$'],
    "sha256-crypt" => ['$5$saltsaltsaltsalt', '$5$rounds=1001$s'],
    "sha512-crypt" => ['$6$saltsaltsaltsalt', '$6$rounds=1001$s'],
    "bcrypt" => ['$2a$04$abcdefghijklmnopqrstuu', '$2b$04$ABCDEFGHIJKLMNOPQRSTUu', '$2x$04$abcdefghijklmnopqrstuu',
        '$2y$05$abcdefghijklmnopqrstuu'],
    # The default of Debian; p = 2; t = 1; write-once mode; classic scrypt.
    "yescrypt" => ['$y$j9T$saltsaltsaltsaltsalts/', '$y$j75.0$abcdefgh', '$y$j75/.$abcdefgh', '$y$/65$abcdefgh', '$y$.65$abcdefgh'],
    "scrypt" => ['$7$66..../....saltsaltsalt', '$7$52..../..../salt'],
);
my ($version) = `dpkg-query -W -f '\${Version}' libcrypt1` =~ /^[^:]*?:?(\S+)$/;
my @vectors;
for my $kind (sort keys %settings) {
    for my $setting (@{ $settings{$kind} }) {
        for my $password (@passwords) {
            my $hash = crypt($password, $setting);
            next if !defined $hash || $hash =~ /^\*/;
            my ($format) = $hash =~ /^(\$[^\$]+\$)/;
            push @vectors, sprintf('{"format": "%s", "kind": "%s", "hash": "%s", "password_hex": "%s"}',
                $format, $kind, $hash, unpack("H*", $password));
        }
    }
}
printf qq({"software": "libxcrypt", "version": "%s", "how": "crypt(3) with fixed settings", "vectors": [\n%s\n]}\n), $version,
    join(",\n", @vectors);
