<?php
// Prints vectors of PHP's own functions, and of what WordPress from 6.8 makes of them (wp_hash_password in
// wp-includes/pluggable.php of 6.8.6).

$passwords = ['correct horse battery staple', 'pässwörd Жы 🔑', " outer\tblanks \n", str_repeat('0123456789', 8), "p\xe4ss\xff\xa3"];
$makers = [
    ['password_hash, PASSWORD_BCRYPT', 'bcrypt', fn($p) => password_hash($p, PASSWORD_BCRYPT, ['cost' => 4])],
    ['password_hash, PASSWORD_ARGON2I', 'argon2i', fn($p) => password_hash($p, PASSWORD_ARGON2I, ['memory_cost' => 256, 'time_cost' => 2])],
    ['password_hash, PASSWORD_ARGON2ID', 'argon2id', fn($p) => password_hash($p, PASSWORD_ARGON2ID, ['memory_cost' => 256, 'time_cost' => 2])],
    ['crypt, $1$', 'md5-crypt', fn($p) => crypt($p, '$1$pepper')],
    ['crypt, $5$', 'sha256-crypt', fn($p) => crypt($p, '$5$rounds=1000$sixteenbytessalt')],
    ['crypt, $6$', 'sha512-crypt', fn($p) => crypt($p, '$6$rounds=1000$sixteenbytessalt')],
    ['crypt, $2x$', 'bcrypt', fn($p) => crypt($p, '$2x$04$abcdefghijklmnopqrstuu')],
    ['WordPress 6.8', 'wordpress', fn($p) => '$wp' . password_hash(base64_encode(hash_hmac('sha384', trim($p), 'wp-sha384', true)), PASSWORD_BCRYPT, ['cost' => 4])],
    ['hash_pbkdf2, as PHC', 'pbkdf2-sha256', fn($p) => '$pbkdf2-sha256$i=1000,l=32$' . rtrim(base64_encode('sixteenbytessalt'), '=') . '$' . rtrim(base64_encode(hash_pbkdf2('sha256', $p, 'sixteenbytessalt', 1000, 32, true)), '=')],
    ['md5, salt first', 'md5', fn($p) => '{md5:salt-first}sa$lt$' . md5('sa$lt' . $p)],
    ['md5, salt last', 'md5', fn($p) => '{md5:salt-last}sa$lt$' . md5($p . 'sa$lt')],
    ['sha1, salt first', 'sha1', fn($p) => '{sha1:salt-first}sält$' . sha1('sält' . $p)],
    ['sha1, salt last', 'sha1', fn($p) => '{sha1:salt-last}sält$' . sha1($p . 'sält')],
    ['hash sha256, salt first', 'sha256', fn($p) => '{sha256:salt-first}salt$' . strtoupper(hash('sha256', 'salt' . $p))],
    ['hash sha256, salt last', 'sha256', fn($p) => '{sha256:salt-last}salt$' . hash('sha256', $p . 'salt')],
    ['hash sha384', 'sha384', fn($p) => '{sha384}' . hash('sha384', $p)],
];
$vectors = [];
foreach ($makers as [$format, $kind, $make]) {
    foreach ($passwords as $password) {
        $vectors[] = ['format' => $format, 'kind' => $kind, 'hash' => $make($password), 'password_hex' => bin2hex($password)];
    }
}
echo json_encode(['software' => 'PHP', 'version' => PHP_VERSION, 'how' => 'the function named as format; digests with our mark before them', 'vectors' => $vectors], JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES), "\n";
