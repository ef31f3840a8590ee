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

// scanner walks over a document that json.Valid has accepted, so that it need not
// check the syntax, and refuses what encoding/json lets through.
type scanner struct {
	data    []byte
	pos     int
	members []member // of the outermost object
}

// member is a part of data: one of an object, its name without escapes.
type member struct{ name, value []byte }

// names are those that an object has had so far. Few need no memory.
type names struct {
	few  [8][]byte
	n    int
	many map[string]bool
}

// add reports whether the name is new.
func (s *names) add(name []byte) bool {
	for _, known := range s.few[:min(s.n, len(s.few))] {
		if bytes.Equal(known, name) {
			return false
		}
	}
	if s.n < len(s.few) {
		s.few[s.n] = name
	} else if s.many[string(name)] {
		return false
	} else {
		if s.many == nil {
			s.many = map[string]bool{}
		}
		s.many[string(name)] = true
	}
	s.n++
	return true
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

// value skips one value; depth is that of a container that begins here.
func (s *scanner) value(depth int) error {
	switch s.data[s.pos] {
	case '{', '[':
		if depth > maxDepth {
			return chat.Errorf(chat.BadRequest, "objects and lists are nested deeper than %d", maxDepth)
		}
		if s.data[s.pos] == '{' {
			return s.object(depth)
		}
		return s.array(depth)
	case '"':
		_, err := s.skipText()
		return err
	}
	for s.pos < len(s.data) && bytes.IndexByte([]byte(jsonSpace+",]}"), s.data[s.pos]) < 0 {
		s.pos++
	}
	return nil
}

func (s *scanner) object(depth int) error {
	var seen names
	for s.next('}') {
		name, err := s.text()
		if err != nil {
			return err
		}
		if !seen.add(name) {
			return chat.Errorf(chat.BadRequest, "an object has the duplicate key %s", strconv.Quote(shorten(string(name))))
		}
		s.space()
		s.pos++ // the colon
		s.space()
		start := s.pos
		if err := s.value(depth + 1); err != nil {
			return err
		}
		if depth == 1 {
			s.members = append(s.members, member{name, s.data[start:s.pos]})
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

// next moves from a container's opening, or from the end of one of its items, to its
// next item and returns true, or past its end and returns false.
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

// text skips a string and returns its value.
func (s *scanner) text() ([]byte, error) {
	start := s.pos
	escaped, err := s.skipText()
	if err != nil || !escaped {
		return s.data[start+1 : s.pos-1], err
	}
	var text string
	if err := json.Unmarshal(s.data[start:s.pos], &text); err != nil {
		return nil, chat.Wrap(chat.BadRequest, errNotJSON, "not JSON")
	}
	return []byte(text), nil
}

// skipText skips a string, and tells whether it has escapes.
func (s *scanner) skipText() (escaped bool, err error) {
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
			return escaped, err
		}
	}
	s.pos++
	return escaped, nil
}

// codeUnit checks a \u escape, whose u is at pos, and the other half of its pair, and
// stops at the last digit.
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
	return chat.Errorf(chat.BadRequest, "unpaired surrogate escape")
}

func (s *scanner) hex(at int) uint64 {
	unit, err := strconv.ParseUint(string(s.data[at:at+4]), 16, 16)
	if err != nil {
		return 0 // cannot be: json.Valid has seen four digits
	}
	return unit
}

// shorten keeps a hostile name from filling the answer.
func shorten(name string) string {
	const most = 64
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}
