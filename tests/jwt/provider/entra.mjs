// A certified OpenID provider (oidc-provider) dressed as Microsoft Entra ID: as many directories as are asked about, each at Entra's paths
// with keys, people and applications of its own, and a Graph beside it. Prints the URL that it listens on, on loopback.
//
//   /<tid>/v2.0/.well-known/openid-configuration, /<tid>/oauth2/v2.0/{authorize,token,logout}, /<tid>/discovery/v2.0/keys
//   /graph/<tid>/v1.0/me/transitiveMemberOf
//   /trap         what must never be asked
//   /control/<tid>/<what>, by POST: what no provider does of its own; see Directory
//
// ID tokens are the provider's own, with what Entra puts in them, signed anew here: so every fault of an ID token can be made.

import crypto from 'node:crypto';
import http from 'node:http';
import { Provider } from 'oidc-provider';
import { keyPair } from './keys.mjs';

const directories = new Map();
let base;

const GUID = '00000000-0000-4000-8000-000000000000';
const CODES = { disabled: [50057, 'The user account is disabled.'], deleted: [50034, 'The user account does not exist in the directory.'] };

function newKey() {
  const { privateKey, publicKey } = keyPair('rsa', { modulusLength: 2048 });
  return { privateKey, publicKey, kid: crypto.randomUUID() };
}

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (text) => JSON.parse(Buffer.from(text, 'base64url').toString());

function signed(header, claims, key, hash = 'sha256') {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${crypto.sign(hash, Buffer.from(text), key.privateKey).toString('base64url')}`;
}

function hmac(header, claims, secret) {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${crypto.createHmac('sha256', secret).update(text).digest('base64url')}`;
}

class Directory {
  constructor(tid) {
    this.tid = tid;
    this.issuer = `${base}/${tid}/v2.0`;
    this.keys = [newKey()];
    this.withdrawn = undefined;
    this.clients = [];
    this.people = new Map();
    this.documents = {};
    this.keyMembers = {};
    this.idTokenFault = undefined;
    this.answers = {};
    this.outages = {};
    this.graph = { page: 100, throttle: 0, wait: '1', status: 0, next: undefined };
    this.seen = { token: [], graph: [], logout: [], trap: 0, assertion: undefined };
    this.build();
  }

  build() {
    this.provider = new Provider(this.issuer, {
      clients: this.clients,
      findAccount: (_ctx, id) => this.account(id),
      jwks: { keys: [{ ...this.keys[0].privateKey.export({ format: 'jwk' }), kid: this.keys[0].kid, use: 'sig', alg: 'RS256' }] },
      cookies: { keys: ['of-the-tests'] },
      pkce: { required: () => true },
      scopes: ['openid', 'offline_access', 'profile', 'email'],
      claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email'] },
      conformIdTokenClaims: false,
      issueRefreshToken: () => true,
      rotateRefreshToken: false,
      extraParams: ['domain_hint', 'client-request-id'],
      enabledJWA: { clientAuthSigningAlgValues: ['PS256'] },
      responseTypes: ['code'],
      routes: {
        authorization: '/oauth2/v2.0/authorize',
        token: '/oauth2/v2.0/token',
        end_session: '/oauth2/v2.0/logout',
        jwks: '/discovery/v2.0/keys',
      },
      interactions: { url: (_ctx, interaction) => `/${this.tid}/login/${interaction.uid}` },
      loadExistingGrant: async (ctx) => {
        const { client, session, provider, params } = ctx.oidc;
        const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
        grant.addOIDCScope(params.scope);
        await grant.save();
        return grant;
      },
      features: {
        devInteractions: { enabled: false },
        rpInitiatedLogout: {
          enabled: true,
          logoutSource: (ctx, form) => {
            ctx.body = `<!doctype html><title>Sign out</title>${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`;
          },
        },
      },
      ttl: { AccessToken: 3600, IdToken: 3600, RefreshToken: 86400, Session: 86400, Interaction: 600, Grant: 86400 },
    });
    this.provider.use((ctx, next) => this.around(ctx, next));
    this.answer = this.provider.callback();
  }

  account(id) {
    const person = this.people.get(id);
    if (!person || person.state) return undefined;
    return { accountId: id, claims: () => ({ sub: id, name: person.name, preferred_username: person.preferred_username, email: person.email }) };
  }

  async around(ctx, next) {
    await next();
    const { route } = ctx.oidc ?? {};
    if (route === 'token') this.afterToken(ctx);
    const location = ctx.response.get('Location');
    if (location && ['authorization', 'resume'].includes(route)) this.afterAuthorization(ctx, location);
  }

  afterToken(ctx) {
    const { body } = ctx;
    if (ctx.status !== 200) {
      const entity = ctx.oidc.entities?.RefreshToken ?? ctx.oidc.entities?.AuthorizationCode;
      const state = this.people.get(entity?.accountId)?.state;
      const [code, text] = CODES[state] ?? [70000, body.error_description ?? 'The grant is not valid.'];
      ctx.body = this.error(body.error, [body.error === 'invalid_client' ? 7000215 : code], text);
      return;
    }
    if (!body.id_token) return;
    const refreshing = ctx.oidc.params.grant_type === 'refresh_token';
    const person = this.people.get(ctx.oidc.entities.Account.accountId);
    const claims = this.claims(decode(body.id_token.split('.')[1]), person, ctx.oidc.client.clientId);
    if (refreshing) delete claims.nonce;
    const token = this.idToken(claims, ctx.oidc.client, body.access_token);
    if (token === undefined) delete body.id_token;
    else body.id_token = token;
    ctx.body = body;
  }

  claims(own, person, clientId) {
    const { sub, aud, iat, exp, nonce, name, preferred_username, email } = own;
    const said = {
      aud,
      iss: this.issuer,
      iat,
      nbf: iat,
      exp,
      nonce,
      name,
      preferred_username,
      email,
      oid: person.oid,
      sid: person.sid,
      sub: crypto.createHash('sha256').update(`${clientId} ${sub}`).digest('base64url'),
      tid: this.tid,
      uti: crypto.randomBytes(16).toString('base64url'),
      ver: '2.0',
      login_hint: `O.${person.oid}`,
      ...(person.upn && { upn: person.upn }),
      ...(person.acct !== undefined && { acct: person.acct }),
      ...person.claims,
    };
    if (person.overage) {
      said._claim_names = { groups: 'src1' };
      said._claim_sources = { src1: { endpoint: `${base}/trap/${this.tid}` } };
    } else if (person.groups && !person.silent) {
      said.groups = person.groups;
    }
    return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  }

  idToken(claims, client, accessToken) {
    const [key] = this.keys;
    const header = { typ: 'JWT', alg: 'RS256', kid: key.kid };
    const now = Math.floor(Date.now() / 1000);
    const other = newKeyOnce(this);
    const without = (name) => Object.fromEntries(Object.entries(claims).filter(([each]) => each !== name));
    const elsewhere = (tid) => ({ ...claims, tid, iss: `${base}/${tid}/v2.0` });
    const half = crypto.createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
    const faults = {
      wrong_iss: () => signed(header, { ...claims, iss: `${base}/${GUID}/v2.0` }, key),
      foreign_iss: () => signed(header, { ...claims, iss: 'https://login.example/x/v2.0' }, key),
      other_dir: () => signed(header, elsewhere(this.otherTid ?? GUID), key),
      tid_not_guid: () => signed(header, elsewhere('contoso.example'), key),
      no_tid: () => signed(header, without('tid'), key),
      consumers: () => signed(header, elsewhere('9188040d-6c67-4c5b-b112-36a304b66dad'), key),
      wrong_aud: () => signed(header, { ...claims, aud: 'someone-else' }, key),
      wrong_aud_azp_ok: () => signed(header, { ...claims, aud: 'someone-else', azp: client.clientId }, key),
      multi_aud: () => signed(header, { ...claims, aud: [client.clientId, 'someone-else'] }, key),
      multi_aud_azp_ok: () => signed(header, { ...claims, aud: [client.clientId, 'someone-else'], azp: client.clientId }, key),
      empty_aud: () => signed(header, { ...claims, aud: [] }, key),
      missing_aud: () => signed(header, without('aud'), key),
      wrong_azp: () => signed(header, { ...claims, azp: 'someone-else' }, key),
      bad_sig: () => signed(header, claims, other),
      tampered: () => {
        const [first, , last] = signed(header, claims, key).split('.');
        return `${first}.${encode({ ...claims, oid: GUID })}.${last}`;
      },
      alg_none: () => `${encode({ typ: 'JWT', alg: 'none', kid: key.kid })}.${encode(claims)}.`,
      hs256_secret: () => hmac({ ...header, alg: 'HS256' }, claims, client.clientSecret ?? 'none'),
      hs256_pubkey: () => hmac({ ...header, alg: 'HS256' }, claims, key.publicKey.export({ type: 'spki', format: 'pem' })),
      jwk_header: () => {
        const pair = keyPair('ec', { namedCurve: 'P-256' });
        return signed({ ...header, jwk: pair.publicKey.export({ format: 'jwk' }) }, claims, key);
      },
      no_kid: () => signed({ typ: 'JWT', alg: 'RS256' }, claims, key),
      unknown_kid: () => signed({ ...header, kid: crypto.randomUUID() }, claims, key),
      rs512: () => signed({ ...header, alg: 'RS512' }, claims, key, 'sha512'),
      crit: () => signed({ ...header, crit: ['exp'] }, claims, key),
      jku: () => signed({ ...header, jku: `${base}/trap/${this.tid}` }, claims, key),
      wrong_nonce: () => signed(header, { ...claims, nonce: 'another' }, key),
      no_nonce: () => signed(header, without('nonce'), key),
      nonce_supported_false: () => signed(header, { ...without('nonce'), nonce_supported: false }, key),
      expired: () => signed(header, { ...claims, iat: now - 7200, nbf: now - 7200, exp: now - 3600 }, key),
      future_nbf: () => signed(header, { ...claims, nbf: now + 3600 }, key),
      future_iat: () => signed(header, { ...claims, iat: now + 3600 }, key),
      no_exp: () => signed(header, without('exp'), key),
      no_iat: () => signed(header, without('iat'), key),
      no_sub: () => signed(header, without('sub'), key),
      no_oid: () => signed(header, without('oid'), key),
      ver_1: () => signed(header, { ...claims, ver: '1.0' }, key),
      bad_at_hash: () => signed(header, { ...claims, at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }, key),
      good_at_hash: () => signed(header, { ...claims, at_hash: half }, key),
      groups_no_list: () => signed(header, { ...claims, groups: 'all' }, key),
      no_id_token: () => undefined,
      retired_key: () => signed({ ...header, kid: this.withdrawn?.kid }, claims, this.withdrawn ?? key),
      other_sub: () => signed(header, { ...claims, sub: 'another' }, key),
      other_oid: () => signed(header, { ...claims, oid: GUID }, key),
    };
    return this.idTokenFault ? faults[this.idTokenFault]() : signed(header, claims, key);
  }

  afterAuthorization(ctx, location) {
    const url = new URL(location, base);
    if (!url.searchParams.has('code') && !url.searchParams.has('error')) return;
    url.searchParams.delete('iss');
    for (const [name, value] of Object.entries(this.answers)) {
      if (value === null) url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    ctx.response.set('Location', url.href);
  }

  error(error, codes, text, more = {}) {
    return {
      error,
      error_description: `AADSTS${codes[0]}: ${text} Trace ID: ${GUID} Correlation ID: ${GUID}`,
      error_codes: codes,
      timestamp: new Date().toISOString(),
      trace_id: crypto.randomUUID(),
      correlation_id: crypto.randomUUID(),
      error_uri: 'https://login.microsoftonline.com/error',
      ...more,
    };
  }

  // What can be asked of /control.

  client(client) {
    this.clients = [
      ...this.clients.filter((each) => each.client_id !== client.client_id),
      { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], ...client },
    ];
    this.build();
    return {};
  }

  person({ login, ...about }) {
    const before = this.people.get(login) ?? { oid: crypto.randomUUID(), sid: crypto.randomUUID() };
    const person = { preferred_username: login, name: login, ...before, ...about };
    this.people.set(login, person);
    return person;
  }

  fault({ name, other_tid }) {
    this.idTokenFault = name ?? undefined;
    this.otherTid = other_tid;
    return {};
  }

  callback(parameters) {
    this.answers = parameters;
    return {};
  }

  token_error(error) {
    this.tokenError = error.error === undefined ? undefined : error;
    return {};
  }

  outage(modes) {
    this.outages = modes;
    return {};
  }

  document(members) {
    this.documents = members;
    return {};
  }

  graph_double(changes) {
    Object.assign(this.graph, changes);
    return {};
  }

  rotate() {
    this.keys.unshift(newKey());
    return {};
  }

  withdraw() {
    this.withdrawn = this.keys.at(-1);
    this.keys.length = 1;
    return {};
  }

  publish(members) {
    this.keyMembers = members;
    return {};
  }

  records() {
    return this.seen;
  }
}

const others = new WeakMap();
function newKeyOnce(directory) {
  if (!others.has(directory)) others.set(directory, newKey());
  return others.get(directory);
}

async function text(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function send(response, value, status = 200, headers = {}) {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(value));
}

function page(response, body, status = 200) {
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in to your account</title></head><body>${body}</body></html>`;
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' }).end(html);
}

function directory(tid) {
  if (!directories.has(tid)) directories.set(tid, new Directory(tid));
  return directories.get(tid);
}

function away(mode, request, response) {
  if (mode === 'reset') request.socket.destroy();
  else if (mode === 'unavailable') send(response, { error: 'temporarily_unavailable' }, 503);
  return true; // and 'hang' says nothing
}

async function login(asked, request, response) {
  if (request.method !== 'POST') {
    page(response, '<main><h1>Sign in</h1><form method="post"><label for="login">Account</label> <input id="login" name="login"> <button>Next</button></form></main>');
    return;
  }
  const name = new URLSearchParams(await text(request)).get('login');
  const person = asked.people.get(name);
  if (!person || person.state) {
    page(response, `<p>AADSTS${(CODES[person?.state] ?? CODES.deleted)[0]}</p>`, 403);
    return;
  }
  await asked.provider.interactionFinished(request, response, { login: { accountId: name } }, { mergeWithLastSubmission: false });
}

async function graph(asked, request, response) {
  const url = new URL(request.url, base);
  const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
  asked.seen.graph.push(request.url);
  const found = await asked.provider.AccessToken.find(token);
  const { page: size, throttle, wait, status, next } = asked.graph;
  if (!found || status === 401) return send(response, { error: { code: 'InvalidAuthenticationToken' } }, 401);
  if (throttle > 0) {
    asked.graph.throttle -= 1;
    return send(response, { error: { code: 'TooManyRequests' } }, 429, { 'Retry-After': wait });
  }
  if (status) return send(response, { error: { code: 'Authorization_RequestDenied' } }, status);
  const groups = (asked.people.get(found.accountId)?.groups ?? []).map((id) => ({ '@odata.type': '#microsoft.graph.group', id }));
  const listed = [{ '@odata.type': '#microsoft.graph.directoryRole', id: crypto.randomUUID() }, ...groups];
  const from = Number(url.searchParams.get('$skiptoken') ?? 0);
  const more = from + size < listed.length;
  const link = next ?? `${base}/graph/${asked.tid}/v1.0/me/transitiveMemberOf?$select=id&$skiptoken=${from + size}`;
  return send(response, { value: listed.slice(from, from + size), ...(more && { '@odata.nextLink': link }) });
}

async function token(asked, request, response) {
  const body = await text(request);
  const form = new URLSearchParams(body);
  const { client_secret, ...shown } = Object.fromEntries(form);
  asked.seen.token.push({ ...shown, has_secret: client_secret !== undefined, correlation_id: request.headers['client-request-id'] ?? null });
  if (form.has('client_assertion')) {
    const [header, claims] = form.get('client_assertion').split('.');
    asked.seen.assertion = { header: decode(header), claims: decode(claims), text: form.get('client_assertion') };
  }
  if (asked.tokenError) {
    const { status, error, codes, ...more } = asked.tokenError;
    send(response, asked.error(error, codes ?? [70000], 'As a test wants it.', more), status ?? 400);
    return;
  }
  request.body = body; // read already: oidc-provider takes it from here
  asked.answer(request, response);
}

async function serve(request, response) {
  const [path] = request.url.split('?');
  const [, first, second, ...rest] = path.split('/');
  if (first === 'control') {
    const asked = await text(request);
    send(response, directory(second)[rest[0]](asked ? JSON.parse(asked) : {}));
    return;
  }
  if (first === 'trap') {
    directory(second).seen.trap += 1;
    send(response, { value: [] });
    return;
  }
  if (first === 'graph') {
    await graph(directory(second), request, response);
    return;
  }
  if (!first || first === 'favicon.ico') {
    send(response, {}, 404);
    return;
  }
  const asked = directory(first);
  const below = [second, ...rest].join('/');
  const kind = { 'oauth2/v2.0/token': 'token', 'discovery/v2.0/keys': 'keys', 'v2.0/.well-known/openid-configuration': 'metadata' }[below];
  if (kind && asked.outages[kind]) {
    away(asked.outages[kind], request, response);
    return;
  }
  if (second === 'login') {
    await login(asked, request, response);
    return;
  }
  if (kind === 'keys') {
    const keys = asked.keys.map((key) => {
      const { kty, n, e } = key.publicKey.export({ format: 'jwk' });
      return { kty, n, e, kid: key.kid, use: 'sig', issuer: asked.issuer, ...asked.keyMembers };
    });
    send(response, { keys });
    return;
  }
  if (kind === 'metadata') {
    const where = `${base}/${asked.tid}`;
    send(response, {
      issuer: asked.issuer,
      authorization_endpoint: `${where}/oauth2/v2.0/authorize`,
      token_endpoint: `${where}/oauth2/v2.0/token`,
      jwks_uri: `${where}/discovery/v2.0/keys`,
      end_session_endpoint: `${where}/oauth2/v2.0/logout`,
      response_types_supported: ['code'],
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
      ...asked.documents,
    });
    return;
  }
  if (below === 'oauth2/v2.0/logout') asked.seen.logout.push(request.url);
  request.originalUrl = request.url;
  request.baseUrl = `/${first}`;
  request.url = request.url.slice(first.length + 1);
  if (kind === 'token') await token(asked, request, response);
  else asked.answer(request, response);
}

const server = http.createServer((request, response) => {
  serve(request, response).catch((fault) => {
    console.error(fault);
    if (!response.headersSent) response.writeHead(500).end();
  });
});
server.listen(0, '127.0.0.1', () => {
  base = `http://127.0.0.1:${server.address().port}`;
  console.log(base);
});
// Whoever started it is gone when its end of the pipe is.
// Not by exit(): now and then that waits for threads of Node's own, for ever.
process.stdin.resume().on('end', () => process.kill(process.pid, 'SIGKILL'));
