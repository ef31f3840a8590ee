package fold

import (
	"encoding/json"
	"os"
	"testing"
	"unicode/utf8"
)

// TestCases reads the file that the page's fold is tested with, too.
func TestCases(t *testing.T) {
	text, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases [][2]string
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if got := Text(c[0]); got != c[1] {
			t.Errorf("%q: got %q (%+q), want %q (%+q)", c[0], got, got, c[1], c[1])
		}
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "Özgür", "می\u200cخواهم", "ﷺ ㍿ ½", "각가", "ｶﾞ", "e\u0301\u0301", "\xff\xfe", "Å̧", "๑", "İ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Text(s)
		if !utf8.ValidString(s) {
			return
		}
		if again := Text(once); again != once {
			t.Errorf("%q folds to %q, and that to %q", s, once, again)
		}
		if !utf8.ValidString(once) {
			t.Errorf("%q folds to %q, which is not UTF-8", s, once)
		}
	})
}
