package hooks

import (
	"encoding/json"
	"strconv"
	"strings"
)

// richText writes Slack's rich text, to a bounded depth.
func (w *writer) richText(list []element, depth int) string {
	if depth == 0 {
		return ""
	}
	var b strings.Builder
	for _, e := range cut(list, maxElements) {
		b.WriteString(w.richElement(e, depth))
	}
	return b.String()
}

func (w *writer) richElement(e element, depth int) string {
	switch e.Type {
	case "rich_text_section":
		return w.richText(e.Elements, depth-1)
	case "rich_text_quote":
		return "\n> " + strings.ReplaceAll(strings.TrimSpace(w.richText(e.Elements, depth-1)), "\n", "\n> ") + "\n"
	case "rich_text_preformatted":
		return fenced(rawText(e.Elements), "x")
	case "rich_text_list":
		return w.richList(e, depth)
	case "text":
		return styled(w.escapePlain(textOf(e.Text)), textOf(e.Text), e.Style)
	case "link":
		if address := webAddress(string(e.URL)); address != "" {
			if label := textOf(e.Text); label != "" {
				return link(unmentioned(label), address)
			}
			return address
		}
		return w.escapePlain(textOf(e.Text))
	case "emoji":
		return ":" + string(e.Name) + ":"
	case "user":
		return w.mention(string(e.UserID), "")
	case "broadcast":
		return w.command(string(e.Range), "")
	}
	return ""
}

func (w *writer) richList(e element, depth int) string {
	var kind string
	_ = json.Unmarshal(e.Style, &kind) // what is no text is a list of bullets
	var b strings.Builder
	b.WriteString("\n")
	for i, item := range cut(e.Elements, maxElements) {
		mark := "- "
		if kind == "ordered" {
			mark = strconv.Itoa(i+1) + ". "
		}
		b.WriteString(strings.Repeat("  ", min(max(e.Indent, 0), maxDepth)) + mark + line(w.richElement(item, depth-1)) + "\n")
	}
	return b.String()
}

// textOf returns a text that stands for itself.
func textOf(raw json.RawMessage) string {
	var text loose
	if len(raw) == 0 || json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return string(text)
}

func rawText(list []element) string {
	var b strings.Builder
	for _, e := range cut(list, maxElements) {
		text := textOf(e.Text)
		if text == "" {
			text = string(e.URL)
		}
		b.WriteString(text)
	}
	return b.String()
}

// styled marks a text; white space stays outside of the marks.
func styled(text, raw string, style json.RawMessage) string {
	var s struct{ Bold, Italic, Strike, Code bool }
	if len(style) == 0 || json.Unmarshal(style, &s) != nil || strings.TrimSpace(text) == "" {
		return text
	}
	lead := text[:len(text)-len(strings.TrimLeft(text, " \n"))]
	tail := text[len(strings.TrimRight(text, " \n")):]
	text = strings.TrimSpace(text)
	if s.Code && !strings.Contains(raw, "`") {
		return lead + "`" + strings.TrimSpace(raw) + "`" + tail
	}
	for _, mark := range []struct {
		on   bool
		sign string
	}{{s.Strike, "~~"}, {s.Italic, "_"}, {s.Bold, "**"}} {
		if mark.on {
			text = mark.sign + text + mark.sign
		}
	}
	return lead + text + tail
}
