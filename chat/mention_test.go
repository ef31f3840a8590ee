package chat_test

import (
	"strings"
	"testing"

	"fechatter/chat"

	"github.com/google/go-cmp/cmp"
)

func TestMentions(t *testing.T) {
	members := map[string]string{"bob": "1", "bob.": "2", "al-x": "3", "eve": "4"}
	for _, tc := range []struct {
		body string
		want []string
		all  bool
	}{
		{"hi @bob", []string{"1"}, false},
		{"hi @Bob!", []string{"1"}, false},
		{"the longest name wins: @bob.", []string{"2"}, false},
		{"dots of a sentence: @eve... @eve-", []string{"4"}, false},
		{"in order, once: @eve @bob @eve", []string{"4", "1"}, false},
		{"@al-x's turn", []string{"3"}, false},
		{"no prefix: @bobby", []string{}, false},
		{"no address: me@eve x.@eve", []string{}, false},
		{"(@eve), @all", []string{"4"}, true},
		{"@all.", []string{}, true},
		{"@", []string{}, false},
		{"@@eve", []string{"4"}, false},
		{"你好@eve你好", []string{"4"}, false},
		{"@" + strings.Repeat("a", 5000), []string{}, false},
		{"many dots: @eve" + strings.Repeat(".", 5000), []string{"4"}, false},
		{"@bob" + strings.Repeat(".-", 50), []string{"2"}, false},
	} {
		got, all := chat.Mentions(tc.body, members)
		if diff := cmp.Diff(tc.want, got); diff != "" || all != tc.all {
			t.Errorf("%.40q: all=%v %s", tc.body, all, diff)
		}
	}
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
