import crypto from 'node:crypto';

// A new pair of keys, by way of PEM. A key as it comes from its generation shares a lock with it: if Node 20 collects that garbage while
// the key is exported as a JWK, it waits for itself, for ever.
export function keyPair(type, options) {
  const privateKeyEncoding = { type: 'pkcs8', format: 'pem' };
  const made = crypto.generateKeyPairSync(type, { ...options, privateKeyEncoding, publicKeyEncoding: { type: 'spki', format: 'pem' } });
  return { privateKey: crypto.createPrivateKey(made.privateKey), publicKey: crypto.createPublicKey(made.publicKey) };
}
