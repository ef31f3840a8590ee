package chat

import (
	"slices"
	"strings"
	"unicode"
)

// NameFacts is what the store reads before somebody takes a name.
type NameFacts struct {
	Trusted bool   // the user is an administrator, or the sign-up makes them one
	Look    string // what the display name looks like, in lower case and the letters of one alphabet
	// UsernameLike reports whether the username looks like another user's.
	UsernameLike bool
	// NameLike reports whether the display name looks like another user's username or
	// display name without being the same to a search. Namesakes are no reason to refuse.
	NameLike bool
}

// AdmitSignUp decides about the names of a new user.
func (u User) AdmitSignUp(f NameFacts) error {
	switch {
	case slices.Contains(callsToAll(), u.Username), letters(u.Username) == "",
		(isReserved(u.Username) || slices.Contains(mailboxes(), u.Username)) && !f.Trusted:
		return Errorf(Conflict, "this username is reserved")
	case f.UsernameLike:
		return Errorf(Conflict, "this username is taken, or looks like one that is")
	}
	return u.AdmitName(f)
}

// AdmitName decides about a display name that the user has not had so far.
func (u User) AdmitName(f NameFacts) error {
	switch {
	case (isReserved(f.Look) || isReserved(romanized(u.DisplayName))) && !f.Trusted && letters(f.Look) != letters(u.Username):
		return Errorf(Conflict, "this display_name is reserved")
	case f.NameLike:
		return Errorf(Conflict, "this display_name looks like the name of somebody else")
	}
	return nil
}

// callsToAll are the names that mean everybody who reads them; no user may have one.
func callsToAll() []string { return []string{mentionAll, "here", "everyone", "channel"} }

// reserved are the names of those whom people believe: only administrators may have one.
func reserved() []string {
	return append(callsToAll(), "admin", "admins", "administrator", "administrators", "moderator", "moderators",
		"support", "helpdesk", "system", "security", "root", "operator", "staff", "official", "fechatter",
		"deleted user", "noreply",
		"administratsiya", "sistema", "podderzhka", "sapport", "diacheiristis", "systima",
		"管理员", "管理員", "管理者", "系统", "系統", "客服", "관리자", "운영자", "시스템")
}

// mailboxes are those of RFC 2142 by which others reach the operator: no usernames.
func mailboxes() []string {
	return []string{"abuse", "ftp", "hostmaster", "noc", "postmaster", "usenet", "uucp", "webmaster", "www"}
}

// romanized writes the letters of Cyrillic and Greek as Latin ones by their sound.
func romanized(name string) string {
	return strings.NewReplacer(
		"а", "a", "б", "b", "в", "v", "г", "g", "ґ", "g", "д", "d", "е", "e", "ё", "e", "є", "e", "ж", "zh", "з", "z", "и", "i",
		"і", "i", "ї", "i", "й", "i", "к", "k", "л", "l", "м", "m", "н", "n", "о", "o", "п", "p", "р", "r", "с", "s", "т", "t",
		"у", "u", "ў", "u", "ф", "f", "х", "h", "ц", "ts", "ч", "ch", "ш", "sh", "щ", "sch", "ъ", "", "ы", "y", "ь", "", "э", "e",
		"ю", "yu", "я", "ya",
		"ά", "a", "α", "a", "β", "v", "γ", "g", "δ", "d", "έ", "e", "ε", "e", "ζ", "z", "ή", "i", "η", "i", "θ", "th", "ί", "i",
		"ι", "i", "κ", "k", "λ", "l", "μ", "m", "ν", "n", "ξ", "x", "ό", "o", "ο", "o", "π", "p", "ρ", "r", "σ", "s", "ς", "s",
		"τ", "t", "ύ", "y", "υ", "y", "φ", "f", "χ", "ch", "ψ", "ps", "ώ", "o", "ω", "o",
	).Replace(strings.ToLower(name))
}

// isReserved reports whether a name reads like a reserved one, with any signs between the letters.
func isReserved(name string) bool {
	plain, signed := letters(name), letters(signs().Replace(name))
	return slices.ContainsFunc(reserved(), func(r string) bool {
		read := letters(r)
		return read == plain || read == signed
	})
}

// signs replaces those that people write for letters.
func signs() *strings.Replacer {
	return strings.NewReplacer("$", "s", "@", "a", "!", "i", "|", "l", "€", "e", "+", "t", "(", "c")
}

// letters returns the letters of a name alone. Digits count as the letters that people write them
// for, and letters that are hard to tell apart as one.
func letters(name string) string {
	return strings.NewReplacer("0", "o", "1", "l", "i", "l", "3", "e", "4", "a", "5", "s", "7", "t", "m", "rn").Replace(
		strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return r
			}
			return -1
		}, strings.ToLower(name)))
}

// cleanName checks a name of a person or a chat, and returns the line that shows of it. A name
// that draws nothing is refused, but may be empty if minLen is 0.
func cleanName(field, s string, minLen, maxLen int) (string, error) {
	if err := validText(field, s, min(len(s), 1), len(s)); err != nil {
		return "", err
	}
	name := CleanLine(s)
	if pilesMarks(name) {
		return "", Errorf(BadRequest, "%s must not pile marks on a letter", field)
	}
	return name, validText(field, name, minLen, maxLen)
}

// What may be written above and below one letter. UTS #39 calls the same mark twice suspicious, and
// more than four; Burmese and Tibetan have more, but of marks of their own. Of those that any
// alphabet may use, polytonic Greek and vocalized Arabic have three.
const (
	maxSharedMarks  = 3
	maxStackedMarks = 6
)

// pilesMarks reports whether a letter has more marks than a language gives it: they cover what is
// written around it.
func pilesMarks(name string) bool {
	var marks []rune
	shared := 0
	for _, r := range name {
		if !unicode.In(r, unicode.Mn, unicode.Me) || unicode.Is(unicode.Variation_Selector, r) {
			marks, shared = marks[:0], 0
			continue
		}
		if slices.Contains(marks, r) {
			return true
		}
		if unicode.Is(unicode.Inherited, r) {
			shared++
		}
		if marks = append(marks, r); len(marks) > maxStackedMarks || shared > maxSharedMarks {
			return true
		}
	}
	return false
}

// cleanText is cleanName for what may be left out, such as a topic.
func cleanText(field, s string, maxLen int) (string, error) {
	if err := validText(field, s, 0, len(s)); err != nil {
		return "", err
	}
	line := CleanLine(s)
	return line, validText(field, line, 0, maxLen)
}

func displayName(s string) (string, error) {
	name, err := cleanName("display_name", s, 1, maxDisplayName)
	if err == nil && mixesAlphabets(name) {
		err = Errorf(BadRequest, "display_name must not mix alphabets within a word")
	}
	return name, err
}

// mixesAlphabets reports whether a word has letters of two alphabets whose letters look alike.
// Whoever writes their name so writes it to be taken for somebody.
func mixesAlphabets(s string) bool {
	var word *unicode.RangeTable
	for _, r := range s {
		switch alphabet := alphabetOf(r); {
		case !isWordRune(r):
			word = nil
		case alphabet == nil:
		case word != nil && word != alphabet:
			return true
		default:
			word = alphabet
		}
	}
	return false
}

func alphabetOf(r rune) *unicode.RangeTable {
	for _, alphabet := range []*unicode.RangeTable{unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Armenian,
		unicode.Cherokee, unicode.Coptic, unicode.Lisu} {
		if unicode.Is(alphabet, r) {
			return alphabet
		}
	}
	return nil
}
