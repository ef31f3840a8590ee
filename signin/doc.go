// Package signin proves who somebody is by other means than a password: one-time codes,
// passkeys, and identity providers (OpenID Connect). It speaks their formats and checks
// their signatures, and is the only home of the libraries that do. It stores nothing and
// decides nothing about accounts: package chat does, and says what it needs as interfaces.
package signin
