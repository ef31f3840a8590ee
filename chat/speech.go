package chat

import "strings"

// speechIn lists the parts of a body between its code: that is fenced blocks, and
// spans in backticks.
func speechIn(body string) []string {
	if !strings.Contains(body, "`") && !strings.Contains(body, "~~~") {
		return []string{body}
	}
	r := speechReader{body: body}
	for at := 0; at < len(body); {
		end := len(body)
		if i := strings.IndexByte(body[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		r.line(at, end)
		at = end
	}
	if r.fence == "" {
		r.paragraphEnds(len(body))
	}
	return r.speech
}

// speechReader reads a body line by line.
type speechReader struct {
	body      string
	speech    []string
	paragraph int    // where the paragraph begins that has not been read yet
	fence     string // the signs that began the fenced block around; "" without one
	depth     int    // how many quotes are around the last line, or around the fence
}

// line reads one line. Spans do not reach from one paragraph into another: those end
// at a blank line, a heading, a fence, a list item, and where the quotes around change.
func (r *speechReader) line(at, end int) {
	line := r.body[at:end]
	if r.fence != "" {
		inside, depth := unquote(line, r.depth)
		if depth == r.depth {
			if mark, info := fenceMark(inside); info == "" && strings.HasPrefix(mark, r.fence) {
				r.fence, r.paragraph = "", end
			}
			return
		}
		r.fence, r.paragraph = "", at // the quote that held it has ended
	}
	rest, depth, item := unwrap(line)
	mark, info := fenceMark(rest)
	if strings.ContainsAny(info, "`~") {
		mark = ""
	}
	heading := isHeading(rest)
	if mark != "" || heading || item || depth != r.depth || rest == "" {
		r.paragraphEnds(at)
	}
	if heading {
		r.paragraphEnds(end)
	}
	r.fence, r.depth = mark, depth
}

// paragraphEnds adds what is speech in the paragraph that ends at an index.
func (r *speechReader) paragraphEnds(at int) {
	text := r.body[r.paragraph:at]
	r.paragraph = at
	endless := map[int]bool{} // lengths of runs that nothing ends: looked for only once, to stay linear
	from := 0
	for i := 0; i < len(text); {
		switch {
		case text[i] == '\\':
			i += 2 // what follows, a backtick too, does not begin a span
		case text[i] != '`':
			i++
		default:
			run, n := ticks(text[i:]), 0
			if !endless[run] {
				n = closing(text[i+run:], run)
				endless[run] = n == 0
			}
			if n > 0 {
				r.speech = append(r.speech, text[from:i])
				from = i + run + n
			}
			i += run + n
		}
	}
	r.speech = append(r.speech, text[from:])
}

// ticks counts the backticks that s begins with.
func ticks(s string) int { return len(s) - len(strings.TrimLeft(s, "`")) }

// closing returns where the first run of exactly n backticks ends; 0 if there is none.
func closing(s string, n int) int {
	for i := 0; i < len(s); i++ {
		run := ticks(s[i:])
		i += run
		if run == n {
			return i
		}
	}
	return 0
}

// fenceMark splits a line that begins with three or more backticks or tildes into
// those and the rest.
func fenceMark(line string) (mark, info string) {
	for _, sign := range []string{"`", "~"} {
		info := strings.TrimLeft(line, sign)
		if n := len(line) - len(info); n >= 3 {
			return line[:n], strings.Trim(info, blanks)
		}
	}
	return "", ""
}

func isHeading(line string) bool {
	rest := strings.TrimLeft(line, "#")
	n := len(line) - len(rest)
	return n >= 1 && n <= 6 && rest != "" && isSpaceOrTab(rest[0])
}

// unwrap removes the marks of quotes and of list items that a line begins with.
func unwrap(line string) (rest string, depth int, item bool) {
	for {
		rest, n := unquote(line, len(line))
		depth += n
		n = itemMark(rest)
		if n == 0 {
			return rest, depth, item
		}
		line, item = rest[n:], true
	}
}

// blanks are what may stand between marks, and at the end of a line.
const blanks = " \t\r\n"

// unquote removes up to limit marks of quotes that a line begins with, counts them,
// and removes white space around.
func unquote(line string, limit int) (rest string, depth int) {
	rest = strings.Trim(line, blanks)
	for depth < limit && strings.HasPrefix(rest, ">") {
		rest, depth = strings.Trim(rest[1:], blanks), depth+1
	}
	return rest, depth
}

// itemMark returns the length of the mark of a list item that a line begins with.
func itemMark(line string) int {
	n := len(line) - len(strings.TrimLeft(line, "0123456789"))
	signs := ".)"
	if n == 0 {
		signs = "-+*"
	}
	if n > 9 || n+1 >= len(line) || !strings.Contains(signs, line[n:n+1]) || !isSpaceOrTab(line[n+1]) {
		return 0
	}
	return n + 1
}

func isSpaceOrTab(c byte) bool { return c == ' ' || c == '\t' }
