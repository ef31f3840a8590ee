package indexer

import (
	"strings"
	"unicode/utf8"
)

// signs are what stands directly at a word and may be part of a name: the dot of .NET, the
// signs of C++ and C#; and the number in the first word of a version, such as v1.2.3.
type signs struct {
	head, tail string
	inner      bool   // a word stands before the head: as in example.net
	loose      bool   // the tail is one sign, with a word behind it: as in Ctrl+K
	to         int    // end of the tail
	number     string // of the first word of a version
}

// maxTail is how many signs after a word are significant.
const maxTail = 3

func signsAt(body string, start, end int, text string) signs {
	s := signs{to: end}
	if start > 0 && body[start-1] == '.' && (start < 2 || body[start-2] != '.') {
		s.head = "."
		if before, _ := utf8.DecodeLastRuneInString(body[:start-1]); start > 1 {
			kind := kindOf(before)
			s.inner = kind == word || kind == mark || kind == gram
		}
	}
	for len(s.tail) < maxTail {
		sign, n := signOf(body[s.to:])
		if n == 0 {
			break
		}
		s.tail += sign
		s.to += n
	}
	behind := between
	if s.to < len(body) {
		behind, _ = next(body[s.to:])
	}
	s.loose = len(s.tail) == 1 && (behind == word || behind == gram)
	if rest := body[end:]; len(rest) > 1 && rest[0] == '.' {
		if r, _ := utf8.DecodeRuneInString(rest[1:]); isDigit(r) {
			s.number = numberIn(text)
		}
	}
	return s
}

// signOf returns the sign at the start of a text that may be part of the name before it,
// and its length, 0 if there is none.
func signOf(text string) (sign string, n int) {
	r, n := utf8.DecodeRuneInString(text)
	switch r {
	case '+', '＋':
		return "+", n
	case '#', '＃':
		return "#", n
	}
	return "", 0
}

// numberIn returns the digits at the end of a word that begins with a letter, otherwise "".
func numberIn(word string) string {
	letters := strings.TrimRight(word, "0123456789")
	if letters == "" {
		return ""
	}
	return word[len(letters):]
}

// forms calls use with every form in which a unit can be searched for, until it returns
// false, and reports whether it never did.
func (u unit) forms(use func(form string) bool) bool {
	return use(u.text) && (u.number == "" || use(u.number)) && (u.tail == "" || use(u.text+u.tail)) &&
		(u.head == "" || use(u.head+u.text) && (u.tail == "" || use(u.head+u.text+u.tail)))
}

// wanted returns a unit of a query as it must be in a body: signs that seem to be part of a
// name belong to its text, and 1 stands for v1.
func (u unit) wanted() unit {
	if u.number != "" && u.text == "v"+u.number {
		u.text = u.number
	}
	if u.loose {
		u.tail, u.to = "", u.end
	}
	if u.inner {
		u.head = ""
	}
	u.text = u.head + u.text + u.tail
	return u
}
