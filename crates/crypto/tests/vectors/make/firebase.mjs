// Prints vectors of the package `firebase-scrypt`, which is resolved from the working folder.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'package.json'));
const { FirebaseScrypt } = require('firebase-scrypt');
// The sample parameters of github.com/firebase/scrypt.
const parameters = {
  memCost: 14,
  rounds: 8,
  saltSeparator: 'Bw==',
  signerKey: 'jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==',
};
const scrypt = new FirebaseScrypt(parameters);
const vectors = [];
for (const [password, salt] of [
  ['correct horse battery staple', '42xEC+ixf3L2lw=='],
  ['pässwörd Жы 🔑', 'c2FsdHNhbHRzYWx0'],
  ['x', '/++/'],
]) {
  const hash = await scrypt.hash(password, salt);
  vectors.push({ format: 'SALT$HASH', kind: 'firebase-scrypt', firebase: true, hash: `{firebase}${salt}$${hash}`, password });
  vectors.push({ format: 'HASH:SALT', kind: 'firebase-scrypt', firebase: true, hash: `${hash}:${salt}`, password });
}
const parametersFile = `hash_config {
  algorithm: SCRYPT,
  base64_signer_key: ${parameters.signerKey},
  base64_salt_separator: ${parameters.saltSeparator},
  rounds: ${parameters.rounds},
  mem_cost: ${parameters.memCost},
}
`;
console.log(JSON.stringify({
  software: 'firebase-scrypt (npm)',
  version: require('firebase-scrypt/package.json').version,
  how: 'FirebaseScrypt.hash, the parameters in the spelling of the Firebase console',
  firebase_parameters: parametersFile,
  vectors,
}, null, 1));
