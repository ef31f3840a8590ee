package hooks

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the payloads become as the expectation")

func isKnown(name string) bool { return name == "ada" }

// TestCorpus: what programs send to Slack, written from their documentation, and what a person
// reads of it. Each was looked at on the page.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d payloads, %v", len(files), err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".json"), func(t *testing.T) {
			payload, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			document, err := Document(payload, false)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Read(document, 16<<10, isKnown)
			if err != nil {
				t.Fatal(err)
			}
			got := m.Body + "\n"
			wanted := strings.TrimSuffix(name, ".json") + ".md"
			if *update {
				if err := os.WriteFile(wanted, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(wanted)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestMarkup(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                                       "plain",
		"*bold* _italic_ ~gone~ `code *x*`":           "**bold** _italic_ ~~gone~~ `code *x*`",
		"*one* *two*":                                 "**one** **two**",
		"2 * 3 * 4, a*b*c":                            "2 * 3 * 4, a*b*c",
		"*<https://e.example/x|a *link*>*":            "**[a **link**](https://e.example/x)**",
		"<https://e.example/?a=1&amp;b=2>":            "https://e.example/?a=1&b=2",
		"<https://e.example/a_(b)|see [1]>":           "[see (1)](https://e.example/a_%28b%29)",
		"<javascript:alert(1)|click>":                 "click",
		"<mailto:a@e.example|write>":                  "write",
		"a &lt;b&gt; &amp;amp;":                       "a <b> &amp;",
		"<@ADA> <@U123|bob> <@U9>":                    "@ada @" + joiner + "bob @" + joiner + "U9",
		"<!channel> <!here|here> <!subteam^S1|@ops>":  "@all @all @" + joiner + "ops",
		"<!date^1392734382^{date}|Feb 18>":            "Feb 18",
		"<#C1|general>":                               "#general",
		"@all @ada @channel":                          "@" + joiner + "all @" + joiner + "ada @" + joiner + "channel",
		"# 5 is no heading\n#5 neither":               "\\# 5 is no heading\n#5 neither",
		"log:```a < b\n@all```end":                    "log:\n```\na < b\n@all\n```\nend",
		"`unclosed *b*":                               "`unclosed **b**",
		"> quoted":                                    "> quoted",
		"\uE0000\uE001 stand-ins of strangers <@ada>": "0 stand-ins of strangers @ada",
	} {
		w := newWriter(isKnown)
		if got := w.mrkdwn(text); got != want {
			t.Errorf("%q becomes\n%q, want\n%q", text, got, want)
		}
	}
}

func TestDocuments(t *testing.T) {
	for body, want := range map[string]string{
		`{"text":"x"}`:                       `{"text":"x"}`,
		` {"text":"x"} `:                     `{"text":"x"}`, // curl -d, which calls it a form
		"payload=%7B%22text%22%3A%22x%22%7D": `{"text":"x"}`,
	} {
		if got, err := Document([]byte(body), true); err != nil || string(got) != want {
			t.Errorf("%q: %s, %v", body, got, err)
		}
	}
	for _, body := range []string{"", "text=x", "payload=x", "payload=%zz", "{", "\xff", `{"text":"` + "\xff" + `"}`} {
		if got, err := Document([]byte(body), true); !errors.Is(err, ErrPayload) {
			t.Errorf("%q: %s, %v", body, got, err)
		}
	}
}

func TestOddPayloads(t *testing.T) {
	for payload, want := range map[string]error{
		`{}`: ErrNoText, `{"text":""}`: ErrNoText, `{"text":" \u2060 "}`: ErrNoText, `{"blocks":[{"type":"unknown"}]}`: ErrNoText,
		`{"text":{}}`: ErrPayload, `{"text":[1]}`: ErrPayload, `[]`: ErrPayload, `"x"`: ErrPayload, `{"attachments":1}`: ErrPayload,
		`{"blocks":[1]}`: ErrPayload, `{"text":null,"attachments":null}`: ErrNoText,
		`{"text":7}`: nil, `{"text":true}`: nil, `{"attachments":[{"fields":[{"title":"n","value":3,"short":"true"}]}]}`: nil,
		`{"blocks":[{"type":"section","text":"not an object"}],"text":"x"}`: nil,
	} {
		if m, err := Read([]byte(payload), 1000, nil); !errors.Is(err, want) {
			t.Errorf("%s: %+v, %v", payload, m, err)
		}
	}
	m, err := Read([]byte(`{"text":"x","username":" Build\nServer ","icon_emoji":":rocket:","icon_url":"javascript:x"}`), 1000, nil)
	if err != nil || m != (Message{Body: "x", Username: "Build Server", IconEmoji: "rocket"}) {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestLargePayloads: what is too much is cut, and what is nested too deep is passed over.
func TestLargePayloads(t *testing.T) {
	many := `{"blocks":[` + strings.TrimSuffix(strings.Repeat(`{"type":"section","text":{"type":"mrkdwn","text":"line ÄÖÜ"}},`, 5000), ",") + `]}`
	deep := `{"text":"x","blocks":[{"type":"rich_text","elements":[` + strings.Repeat(`{"type":"rich_text_section","elements":[`, 1000) +
		`{"type":"text","text":"deep"}` + strings.Repeat(`]}`, 1000) + `]}]}`
	for name, payload := range map[string]string{
		"many blocks": many, "deep": deep,
		"a megabyte": `{"text":"` + strings.Repeat("ÄÖÜ ", 150_000) + `"}`,
		"code":       `{"text":"` + "```" + strings.Repeat("x = 1;\\n", 5000) + "```" + `"}`,
		"signs":      `{"text":"` + strings.Repeat("*_~`<", 20_000) + `"}`,
	} {
		m, err := Read([]byte(payload), 1000, nil)
		if err != nil || len(m.Body) > 1000 {
			t.Errorf("%s: %d bytes, %v", name, len(m.Body), err)
		}
		if strings.Contains(m.Body, "deep") || strings.Count(m.Body, "```")%2 == 1 {
			t.Errorf("%s: %s", name, m.Body)
		}
	}
}

func TestColours(t *testing.T) {
	for color, want := range map[string]string{
		"good": "🟢", "warning": "🟡", "danger": "🔴", "#D63232": "🔴", "#36a64f": "🟢", "#2eb886": "🟢", "#F4A62A": "🟡", "#439FE0": "🔵",
		"#808080": "⚪", "": "", "#fff": "", "reddish": "",
	} {
		if got := dot(color); got != want {
			t.Errorf("%s is %s, want %s", color, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		payload, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		document, err := Document(payload, true)
		if err != nil {
			return
		}
		m, err := Read(document, 1000, isKnown)
		if err == nil && (len(m.Body) > 1000 || m.Body == "") {
			t.Errorf("%d bytes", len(m.Body))
		}
	})
}
