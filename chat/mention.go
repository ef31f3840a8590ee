package chat

import "strings"

// maxMentions bounds the names that one body can look up.
const maxMentions = 100

// MentionNames lists the names that a body may mention, each once: what follows
// an @ that no word runs into, and that name without its trailing . and -, for
// these are more often the sentence's than the name's.
func MentionNames(body string) []string {
	var names []string
	seen := map[string]bool{}
	forEachMention(body, func(token string) {
		for _, name := range candidates(token) {
			if name != mentionAll && !seen[name] && len(names) < maxMentions {
				seen[name] = true
				names = append(names, name)
			}
		}
	})
	return names
}

// Mentions resolves a body's mentions by the members that bear its MentionNames:
// the longest name that matches wins. The ids come in order of appearance.
func Mentions(body string, idByName map[string]string) (ids []string, all bool) {
	ids = []string{}
	seen := map[string]bool{}
	forEachMention(body, func(token string) {
		for _, name := range candidates(token) {
			if name == mentionAll {
				all = true
				return
			}
			id, ok := idByName[name]
			if !ok {
				continue
			}
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
			return
		}
	})
	return ids, all
}

// candidates lists the names that a token may mean, the longest first.
func candidates(token string) []string {
	names := []string{token}
	for strings.HasSuffix(token, ".") || strings.HasSuffix(token, "-") {
		token = token[:len(token)-1]
		names = append(names, token)
	}
	return names
}

func forEachMention(body string, fn func(token string)) {
	for i := 0; i < len(body); i++ {
		if body[i] != '@' || i > 0 && isNameByte(lower(body[i-1])) {
			continue
		}
		end := i + 1
		for end < len(body) && isNameByte(lower(body[end])) {
			end++
		}
		// What is longer than a name can only be one with . and - behind it; cut,
		// for it would make candidates without bound.
		token := body[i+1 : end]
		if token != "" && len(strings.TrimRight(token, ".-")) <= maxName {
			fn(strings.ToLower(token[:min(len(token), maxName)]))
		}
		i = end - 1
	}
}

const maxName = 32

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
