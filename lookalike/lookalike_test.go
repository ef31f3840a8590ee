package lookalike

import (
	"slices"
	"strings"
	"testing"
)

// TestSkeletonsOfPretenders: each of the others looks like the first.
func TestSkeletonsOfPretenders(t *testing.T) {
	for _, names := range [][]string{
		{"alice", "Alice", "аlice", "Αlice", "aIice", "a1ice", "alicе", "al\u200bice", "a\u00adlice", "\U0001d41a\U0001d425\U0001d422\U0001d41c\U0001d41e", "ａｌｉｃｅ"},
		{"paypal", "раураӏ", "PaypaI", "ρaypal"},
		{"admin", "adrnin", "аdmіn"},
		{"bob0", "bobO", "bobо"},
		{"Alice Müller", "Alice Mu\u0308ller", "Аlice\u00a0Müller", "Alice\u3000Müller"},
		{"O'Brien", "O’Brien", "OʹBrien"},
		{"山口", "山ロ"},
		{"admin", "ᴀᴅᴍɪɴ", "ⓐⓓⓜⓘⓝ", "🅰🅳🅼🅸🅽", "🅐🅓🅜🅘🅝", "ᵃdmin", "🅰dmin"},
		{"admin", "ADMIN", "🇦🇩🇲🇮🇳", "ꓮꓓꓟꓲꓠ"}, {"alice", "ALICE", "ꓮꓡꓲꓚꓰ", "🇦🇱🇮🇨🇪"}, {"jave", "ᎫᎪᏙᎬ", "JAVE"},
		{"ADMIN", "🄰🄳🄼🄸🄽", "ⒶⒹⓂⒾⓃ", "ＡＤＭＩＮ"}, {"quiz by jack", "ꞯᴜɪᴢ ʙʏ ᴊᴀᴄᴋ"}, {"the rough flux", "ᴛʜᴇ ʀᴏᴜɢʜ ꜰʟᴜx"}, {"support", "ꜱᴜᴘᴘᴏʀᴛ", "Ⓢⓤⓟⓟⓞⓡⓣ"},
	} {
		for _, name := range names[1:] {
			if Skeleton(name) != Skeleton(names[0]) {
				t.Errorf("%q looks like %q and not like %q, which is %q", name, Skeleton(name), names[0], Skeleton(names[0]))
			}
		}
	}
}

func TestSkeletonsOfOthers(t *testing.T) {
	names := []string{"Alice Muller", "Alice Müller", "Özgür", "Ozgur", "José-María", "Jose Maria", "山田太郎 (Taro)", "山田太郎", "Владимир", "Ελένη",
		"محمد", "דוד", "राम", "김철수", "Ella", "Eila", "Nguyễn", "Nguyen", "🦊", "🐺", "Taro"}
	skeletons := map[string]string{}
	for _, name := range names {
		s := Skeleton(name)
		if other, taken := skeletons[s]; taken {
			t.Errorf("%q looks like %q: %q", name, other, s)
		}
		skeletons[s] = name
	}
}

// TestTable: the search for a character relies on the order of the lines.
func TestTable(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(confusables, "\n"), "\n")
	if !slices.IsSorted(lines) || len(lines) < 6000 {
		t.Errorf("%d lines, sorted: %v", len(lines), slices.IsSorted(lines))
	}
	for _, line := range lines {
		character, like, _ := strings.Cut(line, "\t")
		if r := []rune(character); len(r) != 1 || like == "" || prototype(r[0]) != like {
			t.Errorf("%q is drawn as %q", character, prototype(r[0]))
		}
	}
}

func FuzzSkeleton(f *testing.F) {
	for _, seed := range []string{"", "Alice", "Åsa", "раураӏ", "\xff", "각", "👩🏽‍❤️‍💋‍👨🏿", "ﷺ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if once := Skeleton(s); Skeleton(once+"\u200b") != Skeleton(once) {
			t.Errorf("%q: what is not drawn makes a difference to %q", s, once)
		}
	})
}
