package chat

import (
	"sort"
	"strings"
)

// maxColumns is that of the page: what has more is no table there.
const maxColumns = 50

// edit replaces a part of a text.
type edit struct {
	from, to int
	with     string
	at       int // where with begins in the new text
}

// withoutTables returns a body whose tables are lines of cells, without their bars and dashes,
// and the marks where their text is then.
func withoutTables(body string, marks []Mark) (string, []Mark) {
	edits := tableEdits(body)
	if len(edits) == 0 {
		return body, marks
	}
	var b strings.Builder
	at := 0
	for i := range edits {
		e := &edits[i]
		b.WriteString(body[at:e.from])
		e.at = b.Len()
		b.WriteString(e.with)
		at = e.to
	}
	b.WriteString(body[at:])
	moved := make([]Mark, len(marks))
	for i, m := range marks {
		moved[i] = Mark{shifted(m.Start, edits), shifted(m.End, edits)}
	}
	return b.String(), moved
}

// shifted returns where a position is after the edits.
func shifted(position int, edits []edit) int {
	i := sort.Search(len(edits), func(i int) bool { return edits[i].from >= position })
	if i == 0 {
		return position
	}
	e := edits[i-1]
	return e.at + len(e.with) + max(0, position-e.to)
}

// tableEdits finds the tables outside of code: a head, a line of dashes with as many cells, and
// the lines below as long as they have bars.
func tableEdits(body string) (edits []edit) {
	if !strings.Contains(body, "|") || !strings.Contains(body, "-") {
		return nil
	}
	fence, at := "", 0
	lines := strings.SplitAfter(body, "\n")
	for i := 0; i < len(lines); i++ {
		if fence = fenceAfter(fence, lines[i]); fence == "" && i+1 < len(lines) && isTable(lines[i], lines[i+1]) {
			edits = append(edits, rowEdits(lines[i], at)...)
			at += len(lines[i])
			i++
			edits = append(edits, edit{from: at, to: at + len(lines[i])})
			for at += len(lines[i]); i+1 < len(lines) && strings.Contains(lines[i+1], "|"); i++ {
				edits = append(edits, rowEdits(lines[i+1], at)...)
				at += len(lines[i+1])
			}
			continue
		}
		at += len(lines[i])
	}
	return edits
}

// fenceAfter returns the signs of the block of code that a line is in or begins, "" for none.
func fenceAfter(fence, line string) string {
	mark, info := fenceMark(strings.Trim(line, blanks))
	switch {
	case fence == "" && !strings.ContainsAny(info, "`~"):
		return mark
	case fence != "" && info == "" && strings.HasPrefix(mark, fence):
		return ""
	}
	return fence
}

func isTable(head, dashes string) bool {
	if !strings.Contains(head, "|") || !strings.Contains(dashes, "|") {
		return false
	}
	bars, at := barsOf(dashes), 0
	for _, bar := range append(bars, len(dashes)) {
		if !isDashes(strings.Trim(dashes[at:bar], blanks+"|")) {
			return false
		}
		at = bar
	}
	return len(bars) == len(barsOf(head)) && len(bars) < maxColumns
}

// isDashes reports whether a cell is one of the line below the head: dashes, and colons around.
func isDashes(cell string) bool {
	dashes := strings.TrimSuffix(strings.TrimPrefix(cell, ":"), ":")
	return dashes != "" && strings.Trim(dashes, "-") == ""
}

// barsOf returns where the bars between the cells of a line are.
func barsOf(line string) (bars []int) {
	begin := len(line) - len(strings.TrimLeft(line, blanks))
	end := len(strings.TrimRight(line, blanks))
	for i := begin; i < end; i++ {
		isBar := line[i] == '|' && (i == 0 || line[i-1] != '\\')
		if isBar && i > begin && i < end-1 {
			bars = append(bars, i)
		}
	}
	return bars
}

// rowEdits sets dots between the cells of a row that begins at a position, and nothing around them.
func rowEdits(row string, at int) (edits []edit) {
	end := len(strings.TrimRight(row, "\r\n"))
	done := 0
	cut := func(from, to int, with string) {
		from = max(done, len(strings.TrimRight(row[:from], " \t")))
		done = end - len(strings.TrimLeft(row[to:end], " \t"))
		edits = append(edits, edit{from: at + from, to: at + done, with: with})
	}
	if first := strings.IndexByte(row, '|'); first >= 0 && strings.Trim(row[:first], " \t") == "" {
		cut(0, first+1, "")
	}
	for _, bar := range barsOf(row) {
		cut(bar, bar+1, " · ")
	}
	last := len(strings.TrimRight(row[:end], " \t")) - 1
	if last >= done && row[last] == '|' && !strings.HasSuffix(row[:last], `\`) {
		cut(last, end, "")
	}
	return edits
}
