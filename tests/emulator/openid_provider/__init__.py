"""An OpenID provider for the demo: its people log in without passwords, from this machine.

It has the authorization code flow for one public client, as in OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated
Logout 1.0, RFC 7636 (PKCE, S256 only) and RFC 9207 (the issuer in the answer). There is no userinfo endpoint, no
refresh token and no consent: the access token opens nothing.

Whoever asks for a login is Anna, the approver, at once. After a logout, or when the client asks for it (`prompt`,
`max_age`), a page lets one choose between the people.
"""
