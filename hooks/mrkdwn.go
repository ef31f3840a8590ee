package hooks

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// joiner is put behind an @ that nobody meant to mention somebody: a log line, a package, an
// address. It draws nothing.
const joiner = "\u2060"

// Stand-ins for what was converted already, so that emphasis may go around it.
const standIn, standInEnd = "\uE000", "\uE001"

// mrkdwn turns Slack's markup into Markdown. Code stays as it is.
func (w *writer) mrkdwn(text string) string {
	var done []string
	hold := func(converted string) string {
		done = append(done, converted)
		return standIn + strconv.Itoa(len(done)-1) + standInEnd
	}
	text = strings.NewReplacer("\r\n", "\n", standIn, "", standInEnd, "").Replace(text)
	text = w.holdCode(text, hold)
	text = w.markup.tag.ReplaceAllStringFunc(text, func(t string) string { return hold(w.tag(t[1 : len(t)-1])) })
	text = w.plain(text)
	return expand(text, done)
}

// expand puts what was converted in the place of its stand-ins. What was converted later may
// hold some of what was before.
func expand(text string, done []string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, standIn)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		number, after, _ := strings.Cut(rest, standInEnd)
		if i, err := strconv.Atoi(number); err == nil && i < len(done) {
			b.WriteString(expand(done[i], done[:i]))
		}
		text = after
	}
}

// holdCode puts stand-ins for the code of a text.
func (w *writer) holdCode(text string, hold func(string) string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(text, '`')
		if at < 0 {
			return b.String() + text
		}
		mark := "`"
		if strings.HasPrefix(text[at:], "```") {
			mark = "```"
		}
		end := strings.Index(text[at+len(mark):], mark)
		if end < 0 {
			return b.String() + text
		}
		b.WriteString(text[:at])
		code := entities(w.bare(text[at+len(mark) : at+len(mark)+end]))
		if mark == "```" {
			code = fenced(code, b.String())
		} else {
			code = "`" + code + "`"
		}
		b.WriteString(hold(code))
		text = text[at+len(mark)+end+len(mark):]
	}
}

// fenced returns a block of code behind what was written before it. Slack takes the marks
// within a line, Markdown on lines of their own.
func fenced(code, before string) string {
	start := "```\n"
	if before != "" && !strings.HasSuffix(before, "\n") {
		start = "\n" + start
	}
	return start + strings.Trim(code, "\n") + "\n```\n"
}

// bare returns code with its links as text: Slack marks addresses in code, too.
func (w *writer) bare(code string) string {
	return w.markup.tag.ReplaceAllStringFunc(code, func(t string) string {
		target, label, labelled := strings.Cut(t[1:len(t)-1], "|")
		if labelled {
			return label
		}
		return target
	})
}

// markup finds Slack's.
type markup struct{ tag, heading *regexp.Regexp }

func newMarkup() markup {
	return markup{tag: regexp.MustCompile(`<([^<>\n]+)>`), heading: regexp.MustCompile(`(?m)^(\s*)(#{1,6}\s)`)}
}

// plain turns text without code and tags into Markdown.
func (w *writer) plain(text string) string {
	text = emphasized(emphasized(text, '*', "**"), '~', "~~")
	text = w.markup.heading.ReplaceAllString(text, "$1\\$2")
	return unmentioned(entities(text))
}

// entities replaces the three that Slack has.
func entities(text string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}

// unmentioned keeps every @ from mentioning somebody.
func unmentioned(text string) string { return strings.ReplaceAll(text, "@", "@"+joiner) }

// tag turns what stands between < and > into Markdown.
func (w *writer) tag(inside string) string {
	target, label, labelled := strings.Cut(inside, "|")
	switch {
	case strings.HasPrefix(target, "@"):
		return w.mention(target[1:], label)
	case strings.HasPrefix(target, "#"):
		if labelled {
			return "#" + unmentioned(entities(label))
		}
		return target
	case strings.HasPrefix(target, "!"):
		return w.command(target[1:], label)
	}
	if strings.HasPrefix(target, "mailto:") {
		if !labelled {
			label = strings.TrimPrefix(target, "mailto:")
		}
		return unmentioned(entities(label))
	}
	address := webAddress(entities(target))
	switch {
	case address == "" && labelled:
		return unmentioned(entities(label))
	case address == "":
		return unmentioned("<" + entities(inside) + ">")
	case !labelled || label == target:
		return address
	}
	return link(w.plain(label), address)
}

// mention names a user: somebody who is here, or nobody.
func (w *writer) mention(who, label string) string {
	if name := strings.ToLower(who); w.known != nil && w.known(name) {
		return "@" + name
	}
	if label != "" {
		who = strings.TrimPrefix(label, "@")
	}
	return "@" + joiner + entities(who)
}

// command draws what Slack would do.
func (w *writer) command(name, label string) string {
	switch name, _, _ = strings.Cut(name, "^"); name {
	case "channel", "here", "everyone":
		return "@all"
	case "date", "subteam":
		return unmentioned(entities(label))
	}
	if label == "" {
		label = name
	}
	return unmentioned(entities(label))
}

// link returns a link in Markdown, whose label, in Markdown too, cannot end it.
func link(label, address string) string {
	label = strings.NewReplacer("[", "(", "]", ")", "\n", " ").Replace(label)
	address = strings.NewReplacer("(", "%28", ")", "%29", " ", "%20").Replace(address)
	return "[" + strings.TrimSpace(label) + "](" + address + ")"
}

// escapePlain turns text without markup into Markdown.
func (w *writer) escapePlain(text string) string {
	return unmentioned(w.markup.heading.ReplaceAllString(text, "$1\\$2"))
}

// strong makes a line bold, unless it is bold or empty.
func strong(text string) string {
	text = strings.TrimSpace(text)
	if text == "" || strings.Contains(text, "**") {
		return text
	}
	return "**" + text + "**"
}

// isBlank reports whether a text draws nothing.
func isBlank(text string) bool {
	return strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == utf8.RuneError || string(r) == joiner }) == ""
}
