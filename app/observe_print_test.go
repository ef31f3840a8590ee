package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"

	"fechatter/security"
)

// hostile is text that ends lines, moves the cursor, colours a terminal, or turns the
// order of what follows around, in every encoding that does.
func hostile() []string {
	return []string{
		"x\nlevel=ERROR msg=forged security=true", "x\r\n{\"security\":true}", "\x1b[31mred\x1b[0m", "\u009b31m", "\u0085next",
		"\u2028line", "\u2029paragraph", "\u202egnp.exe", "\u2066isolate", "\u200bzero", "\x7f\b\b\b", "\x7f", "DEL\x7falone", "\xff\xfe\x9b", "a\" security=true b=\"",
		"\U000e0041tag", "\ufeff", "\v\f\x00",
	}
}

// TestNothingIsInjectedIntoTheLog: whatever a client sends, a record is one line of
// printable text, and a program that reads JSON gets back what was sent.
func TestNothingIsInjectedIntoTheLog(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		for _, text := range hostile() {
			var out bytes.Buffer
			log := newLog(Config{LogLevel: "debug", LogFormat: format}, &out)
			log.Info(text, "value", text, text, "key", "error", errors.New(text), "any", []string{text})
			security.New(log, nil).Note(security.Entry{Event: security.OriginRefused, Detail: text, Address: text})
			lines := strings.SplitAfter(out.String(), "\n")
			if len(lines) != 3 || lines[2] != "" {
				t.Errorf("%s: %q became %d lines: %q", format, text, len(lines)-1, lines)
				continue
			}
			if i := strings.IndexFunc(strings.TrimSuffix(out.String(), "\n"), notPrinted); i >= 0 {
				t.Errorf("%s: %q is raw in the log: %q", format, text, out.String()[i:])
			}
			if format == "json" {
				roundTrip(t, lines[1], text)
			}
		}
	}
}

func notPrinted(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }

func roundTrip(t *testing.T, line, text string) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	if want := strings.ToValidUTF8(text, "\ufffd"); strings.ToValidUTF8(got["detail"].(string), "\ufffd") != want && !strings.Contains(text, "\xff") {
		t.Errorf("%q came back as %q", text, got["detail"])
	}
	if got["event"] != string(security.OriginRefused) || got["level"] != "WARN" {
		t.Errorf("%q changed the line: %v", text, got)
	}
}

// TestPlainLinesAreNotCopied: the log of every request goes through the escaping.
func TestPlainLinesAreNotCopied(t *testing.T) {
	line := []byte(`{"route":"/api/v1/me","名":"日本 🙂"}` + "\n")
	for format, escape := range map[string]func([]byte) []byte{"json": escapeJSON, "text": escapeText} {
		if got := escape(line); &got[0] != &line[0] {
			t.Errorf("%s: a line without anything to escape was copied", format)
		}
	}
}

// FuzzLogLine: no text that a client may send ends a line, reaches a terminal raw, or
// breaks the JSON.
func FuzzLogLine(f *testing.F) {
	for _, text := range hostile() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range []string{"text", "json"} {
			var out bytes.Buffer
			log := newLog(Config{LogLevel: "info", LogFormat: format}, &out)
			log.Info("request", "value", text)
			line := strings.TrimSuffix(out.String(), "\n")
			if strings.ContainsFunc(line, notPrinted) || strings.Contains(line, "\n") {
				t.Errorf("%s: %q became %q", format, text, line)
			}
			var back map[string]any
			if err := json.Unmarshal([]byte(line), &back); format == "json" && err != nil {
				t.Errorf("%q became %q: %v", text, line, err)
			}
		}
	})
}
