package app

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// printed writes lines in which everything that is not printable is escaped.
type printed struct {
	to     io.Writer
	escape func(line []byte) []byte // returns the line itself if there is nothing to escape
}

// Write implements io.Writer.
func (p printed) Write(line []byte) (int, error) {
	if _, err := p.to.Write(p.escape(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// escapeText escapes what slog's text handler leaves as it is: it quotes whatever is not
// printable, but takes DEL for printable.
func escapeText(line []byte) []byte {
	if bytes.IndexByte(line, 0x7f) < 0 {
		return line
	}
	return bytes.ReplaceAll(line, []byte{0x7f}, []byte(`\x7f`))
}

// escapeJSON escapes what slog's JSON handler leaves as it is. JSON demands an escape only for the
// first 32 characters, but others move the cursor of a terminal or turn the order of the text
// around them, too. Beyond ASCII a line has characters only within strings, where an escape means
// the same.
func escapeJSON(line []byte) []byte {
	var out []byte
	from := 0
	for i := 0; i < len(line); {
		r, size := rune(line[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(line[i:])
		}
		if r == 0x7f || r >= utf8.RuneSelf && (size == 1 || !unicode.IsPrint(r)) {
			out = appendEscape(append(out, line[from:i]...), r)
			from = i + size
		}
		i += size
	}
	if out == nil {
		return line
	}
	return append(out, line[from:]...)
}

func appendEscape(out []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		return fmt.Appendf(out, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(out, `\u%04x`, r)
}
