package server

import (
	"bytes"
	"encoding/json"
	"strconv"

	"fechatter/chat"
)

// maxDepth is how deep objects and arrays may nest, the outermost counted.
const maxDepth = 16

const jsonSpace = " \t\r\n"

// scanner walks over a document that json.Valid has passed, so that it has no
// errors of syntax to look for, and refuses what encoding/json lets through.
type scanner struct {
	data   []byte
	pos    int
	member func(name string, value []byte) // told the outermost object's members
}

func (s *scanner) scan() error {
	s.space()
	return s.value(1)
}

func (s *scanner) space() {
	for s.pos < len(s.data) && bytes.IndexByte([]byte(jsonSpace), s.data[s.pos]) >= 0 {
		s.pos++
	}
}

// value passes one value; depth is that of a container that begins here.
func (s *scanner) value(depth int) error {
	switch s.data[s.pos] {
	case '{', '[':
		if depth > maxDepth {
			return chat.Errorf(chat.BadRequest, "objects and lists nest deeper than %d", maxDepth)
		}
		if s.data[s.pos] == '{' {
			return s.object(depth)
		}
		return s.array(depth)
	case '"':
		_, err := s.text()
		return err
	}
	for s.pos < len(s.data) && bytes.IndexByte([]byte(jsonSpace+",]}"), s.data[s.pos]) < 0 {
		s.pos++
	}
	return nil
}

func (s *scanner) object(depth int) error {
	seen := map[string]bool{}
	for s.next('}') {
		name, err := s.text()
		if err != nil {
			return err
		}
		if seen[name] {
			return chat.Errorf(chat.BadRequest, "an object has the key %s twice", strconv.Quote(shorten(name)))
		}
		seen[name] = true
		s.space()
		s.pos++ // the colon
		s.space()
		start := s.pos
		if err := s.value(depth + 1); err != nil {
			return err
		}
		if depth == 1 && s.member != nil {
			s.member(name, s.data[start:s.pos])
		}
	}
	return nil
}

func (s *scanner) array(depth int) error {
	for s.next(']') {
		if err := s.value(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

// next goes from a container's opening, or from the end of one of its items, to
// its next item, or past its end and says false.
func (s *scanner) next(end byte) bool {
	s.space()
	if s.data[s.pos] != end {
		s.pos++ // the opening, or a comma
		s.space()
	}
	if s.data[s.pos] == end {
		s.pos++
		return false
	}
	return true
}

// text passes a string and gives what it means.
func (s *scanner) text() (string, error) {
	start := s.pos
	escaped := false
	for s.pos++; s.data[s.pos] != '"'; s.pos++ {
		if s.data[s.pos] != '\\' {
			continue
		}
		escaped = true
		s.pos++
		if s.data[s.pos] != 'u' {
			continue
		}
		if err := s.codeUnit(); err != nil {
			return "", err
		}
	}
	s.pos++
	if !escaped {
		return string(s.data[start+1 : s.pos-1]), nil
	}
	var text string
	if err := json.Unmarshal(s.data[start:s.pos], &text); err != nil {
		return "", chat.Wrap(chat.BadRequest, errNotJSON, "this is not JSON")
	}
	return text, nil
}

// codeUnit checks a \u escape, whose u is at pos, and the other half of its pair,
// and stops at its last digit.
func (s *scanner) codeUnit() error {
	unit := s.hex(s.pos + 1)
	s.pos += 4
	switch {
	case unit == 0:
		return chat.Errorf(chat.BadRequest, "U+0000 is not allowed")
	case unit < 0xD800 || unit > 0xDFFF:
		return nil
	case unit <= 0xDBFF && s.data[s.pos+1] == '\\' && s.data[s.pos+2] == 'u':
		if low := s.hex(s.pos + 3); low >= 0xDC00 && low <= 0xDFFF {
			s.pos += 6
			return nil
		}
	}
	return chat.Errorf(chat.BadRequest, "a surrogate escape has no partner")
}

func (s *scanner) hex(at int) uint64 {
	unit, err := strconv.ParseUint(string(s.data[at:at+4]), 16, 16)
	if err != nil {
		return 0 // json.Valid has passed it: there are four digits
	}
	return unit
}

// shorten keeps a hostile name from filling an answer.
func shorten(name string) string {
	const most = 64
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}
