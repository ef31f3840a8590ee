package chat

import (
	"strings"
	"testing"
)

func TestCleanName(t *testing.T) {
	for name, want := range map[string]string{
		"Alice": "Alice", " Alice\u3000": "Alice", "\u200b\u2800Alice\ufeff\u3164": "Alice", "\nAlice\n": "Alice",
		"Alice\nMüller": "Alice Müller", "Alice \r\n\u2028 Müller": "Alice Müller", "a\u0085b\vc": "a b c", "a\tb": "a b",
		"Alice  Müller": "Alice Müller", "Alice\u00a0\u2003Müller": "Alice Müller", "Alice\u3164Müller": "Alice Müller", "A\u2800\u2800B": "A B",
		"山田\u3000太郎": "山田\u3000太郎", "山田\u3000 太郎": "山田 太郎",
		// What turns the direction of a line, or draws nothing in it.
		"Evil\u202e": "Evil", "\u202dE\u202cv\u2066i\u2069l": "Evil", "E\u200ev\u200fi\u061cl": "Evil", "Al\u200bice": "Alice", "Al\u00adice": "Alice",
		"Al\u2060i\ufeffc\u2063e": "Alice", "Ali\x07ce\x7f": "Alice", "Ali\u0080ce": "Alice", "Al\ufff9ice": "Alice", "Al\u034fice": "Alice", "Al\u200dice\u200c": "Alice",
		"Al\ufe0fice": "Alice", "1\ufe0f2": "12", "Al\U000e0067ice": "Alice", "\u206eAlice": "Alice", "Al\u115fice": "Al ice",
		// What draws nothing itself, but shapes what is around it.
		"I ❤️": "I ❤️", "I ❤️ \ufe0f": "I ❤️", "I ❤️\ufe0f": "I ❤️", "Ada \u200d": "Ada", "Ada\n\ufe0f\u3164\u200c": "Ada", "👩\u200d💻": "👩\u200d💻", "👩\u200d": "👩",
		"👩🏽\u200d❤️\u200d💋\u200d👨🏿": "👩🏽\u200d❤️\u200d💋\u200d👨🏿", "🙂\u200d↔️": "🙂\u200d↔️", "1\ufe0f\u20e3 and #\ufe0f\u20e3": "1\ufe0f\u20e3 and #\ufe0f\u20e3",
		"🏴\U000e0067\U000e0062\U000e007f": "🏴\U000e0067\U000e0062\U000e007f",
		"نامه\u200cها":                    "نامه\u200cها", "क\u094d\u200dष": "क\u094d\u200dष", "ᠠ\u180eᠠ": "ᠠ\u180eᠠ", "葛\U000e0100城": "葛\U000e0100城", "\u0600\u0661": "\u0600\u0661",
		"": "", strings.Repeat("x", 16) + "\n": strings.Repeat("x", 16),
	} {
		if got, err := cleanName("name", name, 0, 64); err != nil || got != want {
			t.Errorf("%+q: got %+q, %v, want %+q", name, got, err, want)
		}
		if again := CleanLine(CleanLine(name)); again != want {
			t.Errorf("%+q: cleaned twice it is %+q", name, again)
		}
	}
	for _, name := range append(undrawn(), "\n", "\u202e", "a\x00", "\xff", strings.Repeat("x", 17)) {
		if got, err := cleanName("name", name, 0, 16); CodeOf(err) != BadRequest {
			t.Errorf("%+q passes as a name: %+q, %v", name, got, err)
		}
	}
	if _, err := cleanName("name", "", 1, 16); CodeOf(err) != BadRequest {
		t.Errorf("an empty name: %v", err)
	}
}

func TestCleanText(t *testing.T) {
	for text, want := range map[string]string{"one\r\ntwo": "one two", "\u202egnp": "gnp", "\u2800": "", "": "", " a\tb ": "a b"} {
		if got, err := cleanText("topic", text, 10); err != nil || got != want {
			t.Errorf("%+q: got %+q, %v", text, got, err)
		}
	}
	for _, text := range []string{"\xff", "a\x00b", strings.Repeat("x", 11)} {
		if _, err := cleanText("topic", text, 10); CodeOf(err) != BadRequest {
			t.Errorf("%+q passes: %v", text, err)
		}
	}
}

// TestDisplayNames: people of every script may use it, and no word is of two that look alike.
func TestDisplayNames(t *testing.T) {
	for _, name := range []string{"Özgür", "O'Brien", "O’Brien", "山田太郎 (Taro)", "José-María", "Владимир Ильич", "Ελένη", "محمد", "דוד", "김철수", "Նարեկ",
		"Анна (Anna)", "John Доу", "Łukasz", "Nguyễn Văn A", "Иван-Ivan", "R2-D2", "Алиса2", "🦊", "Ivan_Иван", "Mª José", "é", "ソニー", "Σ 1", "山Ω",
		"Zoë", "José", "Jose\u0301", "О'Коннор", "李小龍", "สมชาย", "น้ำผึ้ง", "מֹשֶׁה", "שָּׁלוֹם", "مُحَمَّدٌ", "اللّٰه", "राम", "क्षत्रिय", "ज़ुबैर", "ကြွှို့", "བསྒྲུབས", "ស្រ្តី",
		"Nguye\u0302\u0303n", "Ẹ̀kọ́", "Ǫ́", "ω\u0314\u0342\u0345", "👩🏽\u200d❤️\u200d💋\u200d👨🏿", "1️⃣2️⃣", "Ada 🇩🇪"} {
		if _, err := displayName(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"Аlice", "Alicе", "Вob Müller", "Bоb2", "pаypal", "ΑΒC", "Aliсе\u0301", "Ꭺlice", "ꓮlice", "Αндрей", "a\u0301а",
		"A\u0301\u0301da", "Z\u0335\u0321\u0322\u0327a", "Z" + strings.Repeat("\u0336\u0337", 8), "é\u0300\u0301\u0302\u0303", "A\u20dd\u20de\u20df\u20e0",
		"ก" + strings.Repeat("\u0e49", 2), "\u0300\u0301\u0302\u0303"} {
		if _, err := displayName(name); CodeOf(err) != BadRequest {
			t.Errorf("%+q passes: %v", name, err)
		}
	}
}

func TestReservedNames(t *testing.T) {
	for _, name := range []string{"admin", "ADMIN", "adrnin", "adm1n", "4dmin", "ad.min", "_admin_", "a-d-m-i-n", "root", "r00t", "supp0rt", "5upport", "sys.tem",
		"administrator", "adm1nistrat0r", "fechatter", "Fechatter!", "here", "everyone", "3veryone", "channel", "all", "a11", "System", "M0derator", "$upport", "@dm!n", "@admin", "$ystem", "root!", "(hannel", "support+",
		"moderator", "no-reply", "noreply", "管理员", "客服", "관리자"} {
		if !isReserved(name) {
			t.Errorf("%s is not reserved", name)
		}
	}
	for _, name := range []string{"ada", "admiral", "adam", "allan", "rooty", "supporter-of-all", "channelle", "heredia", "the-admin", "山田", "...", "$$$", "@ll!e", "r€né"} {
		if isReserved(name) {
			t.Errorf("%s is reserved", name)
		}
	}
}

func TestAdmitSignUp(t *testing.T) {
	for _, c := range []struct {
		username, look string
		facts          NameFacts
		want           Code
	}{
		{"ada", "ada", NameFacts{}, ""},
		{"ada", "ada", NameFacts{UsernameLike: true}, Conflict},
		{"ada", "ada", NameFacts{NameLike: true}, Conflict},
		{"ada", "adrnin", NameFacts{}, Conflict},
		{"ada", "adrnin", NameFacts{Trusted: true}, ""},
		{"admin", "adrnin", NameFacts{}, Conflict},
		{"adm1n", "ada", NameFacts{}, Conflict},
		{"admin", "adrnin", NameFacts{Trusted: true}, ""},
		{"admin", "adrnin", NameFacts{Trusted: true, UsernameLike: true}, Conflict},
		{"ada", "ada", NameFacts{Trusted: true, NameLike: true}, Conflict},
		{"all", "all", NameFacts{Trusted: true}, Conflict},
		{"here", "here", NameFacts{Trusted: true}, Conflict},
		{"postmaster", "ada", NameFacts{}, Conflict},
		{"postmaster", "ada", NameFacts{Trusted: true}, ""},
		{"abuse", "abuse", NameFacts{}, Conflict},
		{"ada", "abuse", NameFacts{}, ""},
		{"postmaster", "ada", NameFacts{}, Conflict},
		{"---", "ada", NameFacts{}, Conflict},
		{"._.", "ada", NameFacts{Trusted: true}, Conflict},
		{"-1-", "ada", NameFacts{}, ""},
	} {
		c.facts.Look = c.look
		if err := (User{Username: c.username}).AdmitSignUp(c.facts); CodeOf(err) != c.want {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := (User{Username: "system"}).AdmitName(NameFacts{Look: "systern"}); err != nil {
		t.Errorf("whoever has a reserved username from before may be called so: %v", err)
	}
}

// TestReservedNamesOfOtherAlphabets: whatever they look like, they say it.
func TestReservedNamesOfOtherAlphabets(t *testing.T) {
	for name, want := range map[string]Code{
		"АДМИН": Conflict, "админ": Conflict, "А.д.м.и.н": Conflict, "Администратор": Conflict, "модератор": Conflict, "Поддержка": Conflict,
		"Система": Conflict, "ΑΝΤΜΙΝ": "", "Διαχειριστής": Conflict, "系统": Conflict,
		"Адам": "", "Алла": "", "Владимир": "", "О'Коннор": "", "Ελένη": "", "李小龍": "", "Ботагоз": "", "김관리": "", "محمد": "",
	} {
		if err := (User{Username: "eve", DisplayName: name}).AdmitName(NameFacts{Look: strings.ToLower(name)}); CodeOf(err) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
