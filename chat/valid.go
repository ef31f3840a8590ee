package chat

import (
	"strings"
	"unicode/utf8"
)

// ValidID reports whether id has the one form of identifiers: a UUID in lower case
// with hyphens. Ids become parts of bus subjects, so nothing else is accepted.
func ValidID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// ValidKey reports whether key is 1 to 64 characters from 0x21 to 0x7E.
func ValidKey(key string) bool {
	if len(key) < 1 || len(key) > 64 {
		return false
	}
	for i := range len(key) {
		if key[i] < 0x21 || key[i] > 0x7E {
			return false
		}
	}
	return true
}

const minUsername, maxUsername = 3, 32

// ValidUsername reports whether name can be a username: 3 to 32 characters of
// a-z 0-9 _ . -
func ValidUsername(name string) bool {
	ok := len(name) >= minUsername && len(name) <= maxUsername
	for i := 0; ok && i < len(name); i++ {
		ok = isNameByte(name[i])
	}
	return ok
}

func validUsername(name string) error {
	if !ValidUsername(name) {
		return Errorf(BadRequest, "username must be 3 to 32 characters of a-z 0-9 _ . -")
	}
	return nil
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-'
}

// validText checks the characters of a one-line field and its length.
func validText(field, s string, minLen, maxLen int) error {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return Errorf(BadRequest, "%s must be valid UTF-8 without U+0000", field)
	}
	n := utf8.RuneCountInString(s)
	if n > maxLen {
		return Errorf(BadRequest, "%s must be at most %d characters", field, maxLen)
	}
	if n < minLen || minLen > 0 && drawsNothing(s) {
		return Errorf(BadRequest, "%s must not be empty", field)
	}
	return nil
}

func (s *Service) validBody(body string) error {
	switch {
	case len(body) > s.limits.BodyBytes:
		return Errorf(TooLarge, "body must be at most %d bytes of UTF-8", s.limits.BodyBytes)
	case !utf8.ValidString(body) || strings.ContainsRune(body, 0):
		return Errorf(BadRequest, "body must be valid UTF-8 without U+0000")
	case drawsNothing(body):
		return Errorf(BadRequest, "body must not be empty or only white space")
	}
	return nil
}
