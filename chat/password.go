package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// validPassword checks a new password of a user. Passwords from before a rule go on working.
func (s *Service) validPassword(username, p string) error {
	if !utf8.ValidString(p) || strings.ContainsRune(p, 0) {
		return Errorf(BadRequest, "password must be valid UTF-8 without U+0000")
	}
	n := utf8.RuneCountInString(p)
	switch {
	case n < minPassword || n > maxPassword:
		return Errorf(BadRequest, "password must be %d to %d characters", minPassword, maxPassword)
	case drawsNothing(p):
		return Errorf(BadRequest, "password must not be only white space")
	case namesUser(p, username):
		return Errorf(BadRequest, "password must be more than the username")
	case s.passwords.Common(p):
		return Errorf(BadRequest, "password is one of the most common ones: anybody would guess it")
	}
	return nil
}

// namesUser reports whether a password says no more than the username does: written in another
// way, more than once, or with digits and signs around it.
func namesUser(password, username string) bool {
	p := strings.ToLower(password)
	rest := strings.ReplaceAll(p, username, "")
	return rest != p && !strings.ContainsFunc(rest, unicode.IsLetter) || letters(p) == letters(username)
}
