package main

import (
	"fmt"
	"os"
	"strings"
)

// Mutation is one way to break the program, and the tests that must notice. A list of them is text;
// blank lines divide them and lines that start with # are comments:
//
//	stale: an edited text is replayed as it was
//	hub/ring.go
//	-	if entry.stale {
//	+	if false {
//	go ./hub TestOldTextIsNotReplayed
//	npm test/apply.test.ts events that are held already change nothing
//
// The first line is the name and what a user would see. A path begins the edits of that file: the
// lines after - are text that stands in it exactly once, those after + replace it.
type Mutation struct {
	Name   string
	Edits  []Edit
	Proofs []Proof
}

// Edit replaces the one occurrence of Old in File, a path from the root of the repository.
type Edit struct{ File, Old, New string }

// Proof names a test: of a Go package, which may be a part of one, as in TestOne/part, or of a test
// file of the page.
type Proof struct {
	Tool  string // go or npm
	Place string
	Test  string
}

// Parse reads a list of mutations.
func Parse(text string) ([]Mutation, error) {
	var all []Mutation
	names := map[string]bool{}
	for block := range strings.SplitSeq(text, "\n\n") {
		m, err := parseOne(block)
		if err != nil {
			return nil, err
		}
		if m.Name == "" {
			continue
		}
		if names[m.Name] {
			return nil, fmt.Errorf("%q stands twice", m.Name)
		}
		names[m.Name] = true
		all = append(all, m)
	}
	return all, nil
}

func parseOne(block string) (Mutation, error) {
	var m Mutation
	file, last := "", byte(0)
	for line := range strings.SplitSeq(strings.Trim(block, "\n"), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		tool, rest, _ := strings.Cut(line, " ")
		switch {
		case m.Name == "":
			m.Name = line
		case line[0] == '-' || line[0] == '+':
			if file == "" {
				return m, fmt.Errorf("%q: %q stands before the path of its file", m.Name, line)
			}
			m.Edits = addLine(m.Edits, file, line, last)
		case tool == "go" || tool == "npm":
			place, test, _ := strings.Cut(rest, " ")
			m.Proofs = append(m.Proofs, Proof{tool, place, test})
		default:
			file, line = line, " "
		}
		last = line[0]
	}
	return m, m.complete()
}

// addLine adds a line of an edit. The first - that does not follow another begins a new edit.
func addLine(edits []Edit, file, line string, last byte) []Edit {
	if line[0] == '-' && last != '-' {
		return append(edits, Edit{File: file, Old: line[1:]})
	}
	if len(edits) == 0 {
		return []Edit{{File: file}} // a + without a -, which complete refuses
	}
	e := &edits[len(edits)-1]
	switch {
	case line[0] == '-':
		e.Old += "\n" + line[1:]
	case last == '+':
		e.New += "\n" + line[1:]
	default:
		e.New = line[1:]
	}
	return edits
}

func (m Mutation) complete() error {
	if m.Name == "" {
		return nil
	}
	if len(m.Edits) == 0 || len(m.Proofs) == 0 {
		return fmt.Errorf("%q needs an edit and a proof", m.Name)
	}
	for _, e := range m.Edits {
		if strings.TrimSpace(e.Old) == "" {
			return fmt.Errorf("%q: an edit of %s replaces nothing", m.Name, e.File)
		}
	}
	for _, p := range m.Proofs {
		if p.Place == "" || p.Test == "" {
			return fmt.Errorf("%q: a proof names a package or file, and a test", m.Name)
		}
	}
	return nil
}

// broken returns the edited text of each file, by its path.
func (m Mutation) broken() (map[string]string, error) {
	files := map[string]string{}
	for _, e := range m.Edits {
		text, edited := files[e.File]
		if !edited {
			read, err := os.ReadFile(e.File)
			if err != nil {
				return nil, err
			}
			text = string(read)
		}
		if n := strings.Count(text, e.Old); n != 1 {
			return nil, fmt.Errorf("%s has %d places, not one, that read %q", e.File, n, e.Old)
		}
		files[e.File] = strings.Replace(text, e.Old, e.New, 1)
	}
	return files, nil
}
