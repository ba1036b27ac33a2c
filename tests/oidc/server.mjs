// An identity provider for tests: oidc-provider, with the routes and status codes of an Auth0 tenant.
//
//   node server.mjs
//
// AT_TTL in the environment is how many seconds an access token lives. It prints its origin once it listens, on a
// free port of this machine, and ends with its standard input. GET /test/grants lists what its token endpoint was
// asked for and answered. Opaque secrets begin with what they are, oidc-refresh- for one, so that the tests find a
// leaked one.

import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const AUDIENCE = 'https://api.example.com';
const accessTokenSeconds = Number(process.env.AT_TTL ?? 3600);
const grants = [];

// Auth0 answers these errors with other statuses than the RFCs' 400.
const STATUSES = {
  invalid_grant: 403,
  authorization_pending: 403,
  access_denied: 403,
  expired_token: 403,
  slow_down: 429,
};

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(origin, {
  clients: [
    {
      client_id: 'public-client',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      redirect_uris: ['http://127.0.0.1/callback'],
    },
    {
      client_id: 'service-client',
      client_secret: 'oidc-secret-of-the-service',
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    },
  ],
  routes: {
    authorization: '/authorize',
    token: '/oauth/token',
    device_authorization: '/oauth/device/code',
    code_verification: '/activate',
    revocation: '/oauth/revoke',
    jwks: '/.well-known/jwks.json',
  },
  scopes: ['offline_access'],
  extraParams: ['audience', 'organization'],
  ttl: { AccessToken: accessTokenSeconds, ClientCredentials: accessTokenSeconds },
  rotateRefreshToken: true,
  issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    clientCredentials: { enabled: true },
    revocation: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      // A login that does not say for which API it is gets a token for none, as at Auth0.
      defaultResource: (context) =>
        ['authorization', 'device_authorization'].includes(context.oidc.route)
          ? context.oidc.params?.audience
          : AUDIENCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: '',
        audience: AUDIENCE,
        accessTokenFormat: 'jwt',
        accessTokenTTL: accessTokenSeconds,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});

const MARKS = { refresh_token: 'oidc-refresh-', device_code: 'oidc-device-', code: 'oidc-code-' };

async function unmarkForm(context) {
  const pieces = [];
  for await (const piece of context.req) pieces.push(piece);
  const form = new URLSearchParams(Buffer.concat(pieces).toString());
  for (const name of [...Object.keys(MARKS), 'token']) {
    if (form.has(name)) form.set(name, form.get(name).replace(/^oidc-[a-z]+-/, ''));
  }
  context.req.body = form.toString();
}

function markAnswer(context) {
  for (const name of ['refresh_token', 'device_code']) {
    if (context.body?.[name]) context.body[name] = MARKS[name] + context.body[name];
  }
  const location = context.response.get('Location') ?? '';
  if (/[?&]code=/.test(location)) {
    context.set('Location', location.replace(/([?&]code=)/, `$1${MARKS.code}`));
  }
}

provider.use(async (context, next) => {
  if (context.path === '/test/grants') {
    context.body = grants;
    return;
  }
  if (context.path.startsWith('/oauth/')) await unmarkForm(context);
  if (context.path === '/authorize') {
    // It gives offline_access to OpenID Connect's requests only, and only after consent.
    context.query = { ...context.query, scope: `openid ${context.query.scope}`, prompt: 'consent' };
  }
  await next();
  if (context.path === '/oauth/token') {
    grants.push({ grant: context.oidc?.params?.grant_type, error: context.body?.error ?? null });
    if (STATUSES[context.body?.error]) context.status = STATUSES[context.body.error];
  }
  markAnswer(context);
});

server.on('request', provider.callback());
process.stdin.on('end', () => process.exit(0)).resume();
console.log(origin);
