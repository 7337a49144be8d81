// A second provider that shares no code with the first one, nor with us: oauth2-mock-server, one directory below /<tid>/v2.0.
// Prints its base URL and the directory's id. Everybody who comes is signed in as one person.

import crypto from 'node:crypto';
import http from 'node:http';
import { OAuth2Issuer, OAuth2Service } from 'oauth2-mock-server';

const tid = crypto.randomUUID();
const oid = crypto.randomUUID();
const issuer = new OAuth2Issuer();
await issuer.keys.generate('RS256');
const service = new OAuth2Service(issuer);
service.on('beforeTokenSigning', (token) => {
  Object.assign(token.payload, {
    tid,
    oid,
    sub: 'a-pairwise-subject',
    ver: '2.0',
    uti: crypto.randomBytes(16).toString('base64url'),
    preferred_username: 'anna@contoso.example',
    name: 'Anna Ahorn',
    groups: [],
  });
});

const server = http.createServer((request, response) => {
  request.url = request.url.replace(`/${tid}/v2.0`, '');
  service.requestHandler(request, response);
});
server.listen(0, '127.0.0.1', () => {
  const base = `http://127.0.0.1:${server.address().port}`;
  issuer.url = `${base}/${tid}/v2.0`;
  console.log(JSON.stringify({ base, tid, oid }));
});
// Not by exit(): now and then that waits for threads of Node's own, for ever.
process.stdin.resume().on('end', () => process.kill(process.pid, 'SIGKILL'));
