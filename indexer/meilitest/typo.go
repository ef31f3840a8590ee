package meilitest

import (
	"strings"
	"unicode/utf8"
)

// tolerance is how many letters of a word may be wrong.
func tolerance(word string) int {
	switch n := utf8.RuneCountInString(word); {
	case n >= 9:
		return 2
	case n >= 5:
		return 1
	}
	return 0
}

// distance is how many letters must be put in, left out, replaced or exchanged
// with their neighbour to make a word of another, or, if it may be a beginning, of
// the beginning of another. A wrong first letter counts double. Past allowed, any
// number past allowed may be given.
func distance(word, other string, beginning bool, allowed int) int {
	if word == other || beginning && strings.HasPrefix(other, word) {
		return 0
	}
	a, b := []rune(word), []rune(other)
	if allowed == 0 || !beginning && len(b) > len(a)+allowed || len(a) > len(b)+allowed {
		return allowed + 1
	}
	if len(b) > len(a)+allowed {
		b = b[:len(a)+allowed]
	}
	row := lastRow(a, b)
	best := row[len(b)]
	if beginning {
		for _, d := range row {
			best = min(best, d)
		}
	}
	if a[0] != b[0] {
		best++
	}
	return best
}

// lastRow is the distance of a from every beginning of b.
func lastRow(a, b []rune) []int {
	var before, above []int
	now := make([]int, len(b)+1)
	for j := range now {
		now[j] = j
	}
	for i := range a {
		before, above, now = above, now, make([]int, len(b)+1)
		now[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			now[j+1] = min(above[j+1]+1, now[j]+1, above[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				now[j+1] = min(now[j+1], before[j-1]+1)
			}
		}
	}
	return now
}
