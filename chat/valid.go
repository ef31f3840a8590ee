package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ValidID says whether id has the one form of our identifiers: a UUID in lower
// case with hyphens. Ids become parts of bus subjects, so nothing else passes.
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

// ValidKey says whether key is 1–64 characters from 0x21 to 0x7E.
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

// ValidUsername says whether name can be a username: 3 to 32 characters of
// a-z 0-9 _ . -
func ValidUsername(name string) bool {
	ok := len(name) >= 3 && len(name) <= 32
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

func validPassword(p string) error {
	if !utf8.ValidString(p) || strings.ContainsRune(p, 0) {
		return Errorf(BadRequest, "password must be valid UTF-8 without U+0000")
	}
	if n := utf8.RuneCountInString(p); n < minPassword || n > maxPassword {
		return Errorf(BadRequest, "password must be %d to %d characters", minPassword, maxPassword)
	}
	return nil
}

// validText checks a one-line field: its characters, and its length in them.
func validText(field, s string, minLen, maxLen int) error {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return Errorf(BadRequest, "%s must be valid UTF-8 without U+0000", field)
	}
	n := utf8.RuneCountInString(s)
	if n > maxLen {
		return Errorf(BadRequest, "%s must be at most %d characters", field, maxLen)
	}
	if n < minLen || minLen > 0 && strings.TrimSpace(s) == "" {
		return Errorf(BadRequest, "%s must not be empty", field)
	}
	return nil
}

func (s *Service) validBody(body string) error {
	switch {
	case len(body) > s.limits.BodyBytes:
		return Errorf(BadRequest, "body must be at most %d bytes of UTF-8", s.limits.BodyBytes)
	case !utf8.ValidString(body) || strings.ContainsRune(body, 0):
		return Errorf(BadRequest, "body must be valid UTF-8 without U+0000")
	case strings.TrimSpace(body) == "":
		return Errorf(BadRequest, "body must not be empty or white space only")
	}
	return nil
}

func validEmoji(e string) error {
	if e == "" || len(e) > maxEmojiBytes || !utf8.ValidString(e) || strings.ContainsFunc(e, badEmojiRune) {
		return Errorf(BadRequest, "emoji must be 1 to %d bytes of UTF-8 without white space", maxEmojiBytes)
	}
	return nil
}

func badEmojiRune(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
