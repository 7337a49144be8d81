// A certified OpenID provider (oidc-provider) that speaks for as many directories as it is asked about: /<tid>/… each with keys of its own.
// Prints the URL that it listens on, on loopback. What no provider does of its own is below /control/<tid>/…, by POST:
//
//   rotate     another key signs from now on; the one before is still published
//   withdraw   only the key that signs is published
//   sign       {claims, header, key: "current" | "withdrawn" | "foreign"} -> a token with exactly these, signed with RS256
//   publish    {member: value}: members that every published key has besides its own

import crypto from 'node:crypto';
import http from 'node:http';
import { Provider } from 'oidc-provider';
import { keyPair } from './keys.mjs';

const CLIENT = { client_id: '5b1bbb4e-04e1-4d6c-a7a9-0a3c5a1f1f6b', client_secret: 'a-secret-of-the-tests-and-of-nothing-else' };
const RESOURCE = 'urn:audience:';
const directories = new Map();
let base;

function newKey() {
  const { privateKey } = keyPair('rsa', { modulusLength: 2048 });
  return { privateKey, jwk: { ...privateKey.export({ format: 'jwk' }), kid: crypto.randomUUID(), use: 'sig', alg: 'RS256' } };
}

class Directory {
  constructor(tid) {
    this.tid = tid;
    this.published = [newKey()];
    this.withdrawn = undefined;
    this.foreign = undefined;
    this.members = {};
    this.build();
  }

  build() {
    const { tid } = this;
    this.provider = new Provider(`${base}/${tid}`, {
      clients: [
        { ...CLIENT, grant_types: ['client_credentials'], redirect_uris: [], response_types: [], token_endpoint_auth_method: 'client_secret_post' },
      ],
      jwks: { keys: this.published.map((key) => key.jwk) },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_ctx, resource) => ({
            scope: '',
            audience: resource.slice(RESOURCE.length),
            accessTokenTTL: 3900,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
      extraTokenClaims: () => ({ tid, oid: CLIENT.client_id, appid: CLIENT.client_id, ver: '1.0', uti: crypto.randomBytes(16).toString('base64url') }),
    });
    this.answer = this.provider.callback();
  }

  rotate() {
    this.published.unshift(newKey());
    this.build();
    return {};
  }

  withdraw() {
    this.withdrawn = this.published.at(-1);
    this.published.length = 1;
    this.build();
    return {};
  }

  sign({ claims, header, key }) {
    this.foreign ??= newKey();
    const signer = { current: this.published[0], withdrawn: this.withdrawn, foreign: this.foreign }[key];
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const { kid } = (key === 'foreign' ? this.published[0] : signer).jwk;
    const whole = Object.entries({ typ: 'JWT', alg: 'RS256', kid, ...header }).filter(([, value]) => value !== null);
    const signed = `${encode(Object.fromEntries(whole))}.${encode(claims)}`;
    return { token: `${signed}.${crypto.sign('sha256', Buffer.from(signed), signer.privateKey).toString('base64url')}` };
  }

  publish(members) {
    this.members = members;
    return {};
  }
}

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : {};
}

function send(response, value) {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

function directory(tid) {
  if (!directories.has(tid)) directories.set(tid, new Directory(tid));
  return directories.get(tid);
}

async function serve(request, response) {
  const [, first, ...rest] = request.url.split('?')[0].split('/');
  if (first === 'control') {
    send(response, directory(rest[0])[rest[1]](await body(request)));
    return;
  }
  const asked = directory(first);
  if (rest.join('/') === 'jwks' && Object.keys(asked.members).length) {
    const keys = asked.published.map(({ jwk: { kty, n, e, kid, use, alg } }) => ({ kty, n, e, kid, use, alg, ...asked.members }));
    send(response, { keys });
    return;
  }
  request.originalUrl = request.url;
  request.baseUrl = `/${first}`;
  request.url = request.url.slice(first.length + 1);
  asked.answer(request, response);
}

const server = http.createServer((request, response) => {
  serve(request, response).catch((fault) => {
    console.error(fault);
    response.writeHead(500).end();
  });
});
server.listen(0, '127.0.0.1', () => {
  base = `http://127.0.0.1:${server.address().port}`;
  console.log(base);
});
// Whoever started it is gone when its end of the pipe is.
// Not by exit(): now and then that waits for threads of Node's own, for ever.
process.stdin.resume().on('end', () => process.kill(process.pid, 'SIGKILL'));
