// An OpenID provider (oidc-provider) for the tests of the login, until standard input ends. Its one argument is JSON: the
// port, the address of rescind, and how the provider is. The first line names its address. `POST /control` changes who
// there is.

import http from 'node:http'
import { generateKeyPairSync } from 'node:crypto'
import Provider from 'oidc-provider'

const options = JSON.parse(process.argv[2])

// Each login is the name of an account, with any password. What somebody is not in is not in the claim.
const accounts = new Map(Object.entries(options.accounts))

function key(kid) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }
}

const server = http.createServer()
server.listen(options.port ?? 0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'rescind',
      ...(options.secret ? { client_secret: options.secret } : { token_endpoint_auth_method: 'none' }),
      redirect_uris: [`${options.rescind}/login/callback`],
      post_logout_redirect_uris: [`${options.rescind}/logged-out`],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    }],
    claims: { openid: ['sub'], profile: ['name', 'groups'], email: ['email'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['a test'] },
    findAccount: (_, id) => {
      const claims = accounts.get(id)
      return claims && { accountId: id, claims: () => ({ sub: id, ...claims }) }
    },
    issueRefreshToken: () => options.refresh ?? false,
    jwks: { keys: [key(options.kid ?? 'first')] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: {
      AccessToken: 600, AuthorizationCode: 60, Grant: 3600, IdToken: options.id_token_seconds ?? 600,
      Interaction: 600, RefreshToken: 3600, Session: 3600,
    },
  })
  const answer = provider.callback()
  server.on('request', (request, response) => {
    if (request.method !== 'POST' || request.url !== '/control') return answer(request, response)
    let text = ''
    request.on('data', (chunk) => { text += chunk })
    request.on('end', () => {
      for (const [name, claims] of Object.entries(JSON.parse(text))) {
        if (claims) accounts.set(name, claims)
        else accounts.delete(name)
      }
      response.end('{}')
    })
  })
  console.log(`listening on ${issuer}`)
})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
