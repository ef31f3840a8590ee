package chat

import "strings"

// maxMentions bounds how many names one body can look up.
const maxMentions = 100

// MentionNames lists the names that a body may mention, each once: what follows an
// @ in its speech, also without a trailing . - and _, which more often belong to the
// sentence than to the name.
func MentionNames(body string) []string {
	var names []string
	seen := map[string]bool{}
	for _, token := range mentionTokens(body) {
		for _, name := range candidates(token) {
			if name != mentionAll && !seen[name] && len(names) < maxMentions {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// Mentions resolves a body's mentions against the members who have its
// MentionNames. The longest matching name wins. The ids are in order of appearance.
func Mentions(body string, idByName map[string]string) (ids []string, all bool) {
	ids = []string{}
	seen := map[string]bool{}
	for _, token := range mentionTokens(body) {
		for _, name := range candidates(token) {
			if name == mentionAll {
				all = true
				break
			}
			if id, ok := idByName[name]; ok {
				if !seen[id] {
					seen[id] = true
					ids = append(ids, id)
				}
				break
			}
		}
	}
	return ids, all
}

// candidates lists the names that a token may mean, longest first.
func candidates(token string) []string {
	names := []string{token}
	for token != "" && strings.Contains(trailing, token[len(token)-1:]) {
		token = token[:len(token)-1]
		names = append(names, token)
	}
	return names
}

// trailing are the characters of names that also end sentences and emphases.
const trailing = "._-"

// mentionTokens lists what follows each @ that may mention somebody, in lower case.
// The page finds the same (web/src/page/text/mentions.ts); testdata/mentions.json
// holds the two together.
func mentionTokens(body string) []string {
	if !strings.Contains(body, "@") {
		return nil
	}
	var tokens []string
	for _, s := range speechIn(body) {
		for i := 0; i < len(s); {
			if s[i] != '@' || endsWord(s[:i]) {
				i = wordEnd(s, i)
				continue
			}
			end := i + 1
			for end < len(s) && isNameByte(lower(s[end])) {
				end++
			}
			if token := tokenOf(s[i+1 : end]); token != "" {
				tokens = append(tokens, token)
			}
			i = end
		}
	}
	return tokens
}

// tokenOf returns what follows an @, cut to the length of the longest name: what is
// cut off is the end of a sentence, and would make candidates without bound. ""
// if no name is that long.
func tokenOf(s string) string {
	if len(strings.TrimRight(s, trailing)) > maxUsername {
		return ""
	}
	return strings.ToLower(s[:min(len(s), maxUsername)])
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
