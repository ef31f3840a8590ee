package chat

import (
	"strings"
	"testing"
)

// TestHighlightOfATable: what a table is made of is not shown, and marks stay on their words.
func TestHighlightOfATable(t *testing.T) {
	for body, want := range map[string]string{
		"| Name | Age |\n|---|---:|\n| ada | 36 |\n| bob | 7 |":     "Name · Age\n<mark>ada</mark> · 36\nbob · 7",
		"Name | Age\n:-- | :-:\nada | 36":                           "Name · Age\n<mark>ada</mark> · 36",
		"see:\r\n|a|b|\r\n|-|-|\r\n|ada||\r\nend | of it\r\n\r\n|x": "see:\r\na · b\r\n<mark>ada</mark> · \r\nend · of it\r\n\r\n|x",
		"|a|\n|---|\n|ada|\n":                                       "a\n<mark>ada</mark>\n",
		`|a \| b|c|` + "\n|--|--|\n|ada|x|":                         `a \| b · c` + "\n<mark>ada</mark> · x",
		"|a|b|\n|---|---|\n|ada <x>|&|":                             "a · b\n<mark>ada</mark> &lt;x&gt; · &amp;",
		// No tables: shown as they are.
		"ada | b":                            "<mark>ada</mark> | b",
		"ada || b\n--||--x":                  "<mark>ada</mark> || b\n--||--x",
		"|ada|b|\n|---|":                     "|<mark>ada</mark>|b|\n|---|",
		"|ada|b|\n|---| - -|":                "|<mark>ada</mark>|b|\n|---| - -|",
		"|ada|b|\n|:|--|":                    "|<mark>ada</mark>|b|\n|:|--|",
		"```\n|ada|b|\n|---|---|\n```":       "```\n|<mark>ada</mark>|b|\n|---|---|\n```",
		"~~~\n```\n|ada|b|\n|---|---|\n~~~":  "~~~\n```\n|<mark>ada</mark>|b|\n|---|---|\n~~~",
		"```\nx\n```\n|ada|b|\n|---|---|\n1": "```\nx\n```\n<mark>ada</mark> · b\n1",
		"ls -l | grep ada\n---":              "ls -l | grep <mark>ada</mark>\n---",
	} {
		at := strings.Index(body, "ada")
		if got := Highlight(body, []Mark{{at, at + 3}}); got != want {
			t.Errorf("%q: got %q, want %q", body, got, want)
		}
	}
	if got := Highlight("|a|b|\n|-|-|\n|one|two|", []Mark{{13, 20}}); got != "a · b\n<mark>one · two</mark>" {
		t.Errorf("a phrase over two cells: %q", got)
	}
	long := "| n | text |\n|---|---|\n" + strings.Repeat("| 1 | xxxxxxxxxx |\n", 100) + "| 7 | needle |\n"
	at := strings.Index(long, "needle")
	if got := Highlight(long, []Mark{{at, at + 6}}); !strings.Contains(got, "7 · <mark>needle</mark>") || strings.Contains(got, "|") {
		t.Errorf("far below: %q", got)
	}
}

func FuzzHighlight(f *testing.F) {
	for _, seed := range []string{"|a|b|\n|-|-|\n|c|d|", "a|b\n-|-\n", "|\n|-\n", "\\||\n|-|", "```\n|a|\n|-|\n```", "|é|\n|-|\n|\xff|"} {
		f.Add(seed, 2, 5)
	}
	f.Fuzz(func(t *testing.T, body string, start, end int) {
		text, marks := withoutTables(body, []Mark{{start, end}})
		if len(text) > 2*len(body) || onBoundaries(body, start, end) && !strings.HasPrefix(body, text) && (marks[0].Start < 0 || marks[0].End > len(text)) {
			t.Errorf("%q: %q with %v", body, text, marks)
		}
		Highlight(body, []Mark{{start, end}})
	})
}
