// A provider that does what a real one cannot be brought to do, until standard input ends. Who asks for a login gets one.
// `POST /control` says what is wrong with the next ID token: claims, a header, `key` ("other" is not published), `alg`,
// or with the answer: `status`, `body`.

import http from 'node:http'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'

const options = JSON.parse(process.argv[2])
const keys = { known: generateKeyPairSync('rsa', { modulusLength: 2048 }), other: generateKeyPairSync('rsa', { modulusLength: 2048 }) }
const nonces = new Map()
let wrong = {}
let reads = 0

const encoded = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

function token(issuer, nonce) {
  const now = Math.floor(Date.now() / 1000)
  const { alg = 'RS256', key = 'known', header = {}, claims = {} } = wrong
  const payload = { iss: issuer, sub: 'alice', aud: 'rescind', iat: now, exp: now + 300, nonce, groups: options.groups ?? 'operators', ...claims }
  for (const [name, value] of Object.entries(payload)) if (value === null) delete payload[name]
  const signed = `${encoded({ alg, kid: 'first', ...header })}.${encoded(payload)}`
  const signature = {
    RS256: () => sign('sha256', Buffer.from(signed), keys[key].privateKey),
    HS256: () => createHmac('sha256', options.secret).update(signed).digest(),
    none: () => Buffer.alloc(0),
  }[alg]()
  return `${signed}.${signature.toString('base64url')}`
}

const server = http.createServer((request, response) => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const url = new URL(request.url, issuer)
  let text = ''
  request.on('data', (chunk) => { text += chunk })
  request.on('end', () => {
    const json = (value, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(value))
    }
    switch (url.pathname) {
      case '/control': {
        wrong = JSON.parse(text)
        return json({ reads })
      }
      case '/.well-known/openid-configuration': {
        return json({
          issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: wrong.token_endpoint ?? `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`, response_types_supported: ['code'], subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
          token_endpoint_auth_methods_supported: ['client_secret_post'],
        })
      }
      case '/jwks': {
        reads += 1
        const known = keys.known.publicKey.export({ format: 'jwk' })
        return json({ keys: [{ ...known, kid: 'first', use: 'sig', alg: 'RS256' }] })
      }
      case '/auth': {
        const code = `code-${nonces.size}`
        nonces.set(code, url.searchParams.get('nonce'))
        const back = new URL(url.searchParams.get('redirect_uri'))
        const answer = { code, state: url.searchParams.get('state'), ...wrong.back }
        for (const [name, value] of Object.entries(answer)) if (value !== null) back.searchParams.set(name, value)
        response.writeHead(302, { location: back.href })
        return response.end()
      }
      case '/token': {
        if (wrong.redirect) {
          response.writeHead(307, { location: wrong.redirect })
          return response.end()
        }
        const form = new URLSearchParams(text)
        if (form.get('client_secret') !== options.secret || !form.get('code_verifier')) return json({ error: 'invalid_client' }, 401)
        if (wrong.body !== undefined) return json(wrong.body, wrong.status)
        const id_token = token(issuer, nonces.get(form.get('code')))
        return json({ access_token: 'SECRET-ACCESS-TOKEN', token_type: 'Bearer', id_token })
      }
      default: return json({}, 404)
    }
  })
})
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`))
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
