package chat_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"fechatter/chat"

	"github.com/google/go-cmp/cmp"
)

// The page reads the same file (web/test/mentions.test.ts), so that whoever is
// notified is drawn as mentioned.
func TestMentions(t *testing.T) {
	data, err := os.ReadFile("testdata/mentions.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Users []string
		Cases map[string][]struct {
			Body     string
			Mentions []string
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	members := map[string]string{}
	for _, name := range golden.Users {
		members[name] = name
	}
	for kind, cases := range golden.Cases {
		for _, tc := range cases {
			wantAll := slices.Contains(tc.Mentions, "all")
			want := slices.DeleteFunc(tc.Mentions, func(name string) bool { return name == "all" })
			got, all := chat.Mentions(tc.Body, members)
			if diff := cmp.Diff(want, got); diff != "" || all != wantAll {
				t.Errorf("%s: %.80q: all=%v %s", kind, tc.Body, all, diff)
			}
			if names := chat.MentionNames(tc.Body); !containsAll(names, got) {
				t.Errorf("%s: %.80q: %q are not looked up in %q", kind, tc.Body, got, names)
			}
		}
	}
}

func containsAll(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

func TestMentionNamesAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 500 {
		b.WriteString(" @user")
		b.WriteString(strings.Repeat("x", i%20))
		b.WriteByte(byte('a' + i%26))
	}
	if n := len(chat.MentionNames(b.String())); n > 100 {
		t.Errorf("%d names", n)
	}
	if diff := cmp.Diff([]string{"bob.", "bob"}, chat.MentionNames("@bob. @bob @all")); diff != "" {
		t.Error(diff)
	}
}

// In quadratic time, a megabyte would keep this test busy until it is killed.
func TestMentionsOfALongBody(t *testing.T) {
	const length = 1 << 20
	for _, piece := range []string{"\\``", "`a``", "> ", "@", "a."} {
		body := "~~~\n~~~\n" + strings.Repeat(piece, length/len(piece)) + " @bob"
		if names := chat.MentionNames(body); !slices.Equal(names, []string{"bob"}) {
			t.Errorf("%q again and again: %q", piece, names)
		}
	}
}
