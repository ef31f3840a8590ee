package app

import (
	"errors"
	"fmt"
	"net/url"
	"slices"

	"fechatter/chat"
	"fechatter/signin"
)

// product is what authenticators call a server that has no name of its own.
const product = "Fechatter"

// signInRules translates the settings about signing in.
func signInRules(c Config) chat.SignIn {
	return chat.SignIn{Codes: signin.NewTOTP(ownName(c)), Passkeys: signin.NewPasskeys(ownName(c)), Require: chat.Requirement(c.RequireSecondFactor),
		Providers: c.OIDC.rules(), PasswordsOff: c.PasswordLogin == off}
}

// ownName is by what name people know this server.
func ownName(c Config) string {
	if u, err := url.Parse(c.PublicURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return product
}

func (c Config) validateSignIn() error {
	known := []chat.Requirement{chat.RequireNobody, chat.RequireAdministrators, chat.RequireEveryone}
	if !slices.Contains(known, chat.Requirement(c.RequireSecondFactor)) {
		return fmt.Errorf("require_second_factor: %q is not nobody, administrators or everyone", c.RequireSecondFactor)
	}
	if c.PasswordLogin != on && c.PasswordLogin != off {
		return fmt.Errorf("password_login: %q is not on or off; in a Helm value it needs quotes", c.PasswordLogin)
	}
	if c.PasswordLogin == off && len(c.OIDC) == 0 {
		return errors.New("password_login: off needs a provider in oidc, or nobody could log in")
	}
	return c.OIDC.validate(c.PublicURL)
}
