package security

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every event that is declared is a kind, of which there is one.
func TestEveryEventIsAKind(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && fmt.Sprint(v.Type) == "Event" {
			name, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, name)
		}
		return true
	})
	var listed []string
	for _, k := range Kinds() {
		listed = append(listed, string(k.Event))
	}
	slices.Sort(declared)
	slices.Sort(listed)
	if !slices.Equal(declared, listed) || len(listed) < 20 {
		t.Errorf("declared %v\nlisted   %v", declared, listed)
	}
}

// A kind's fields are those of an entry.
func TestFieldsOfKinds(t *testing.T) {
	var known []string
	for _, a := range (Entry{}).fields() {
		known = append(known, a.Key)
	}
	for _, k := range Kinds() {
		for _, f := range k.Fields {
			if !slices.Contains(known, f) {
				t.Errorf("%s: an entry has no field %s", k.Event, f)
			}
		}
	}
}

// The operator's table lists the events as they are, in the same words.
func TestEventsAreDocumented(t *testing.T) {
	data, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(data), "\n## Security events\n")
	if !found {
		t.Fatal("there is no section Security events")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| `[a-z.]+` \\|.*\\|$").FindAllString(section, -1)
	var want []string
	for _, k := range Kinds() {
		fields := strings.Replace(strings.Join(k.Fields, ", "), "address, user, session", "who", 1)
		want = append(want, fmt.Sprintf("| `%s` | %s | %s |", k.Event, fields, k.Meaning))
	}
	for i, row := range want {
		if i >= len(rows) || rows[i] != row {
			t.Errorf("the table of docs/operations.md must have\n%s", strings.Join(want, "\n"))
			break
		}
	}
	if len(rows) != len(want) {
		t.Errorf("the table has %d rows, want %d", len(rows), len(want))
	}
}
