package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const stampMark = "@@"

// stamp stands in the text of each measured message: its number, from 1, and when it was
// sent. It survives whatever a server wraps around the text.
type stamp struct {
	number int
	sent   time.Time
}

// text is the stamp, padded to size bytes.
func (s stamp) text(size int) string {
	text := fmt.Sprintf("%s%d:%d%s", stampMark, s.number, s.sent.UnixNano(), stampMark)
	return text + strings.Repeat("x", max(0, size-len(text)))
}

// nextStamp returns the first stamp in b and what comes after it.
func nextStamp(b []byte) (s stamp, rest []byte, ok bool) {
	_, b, ok = bytes.Cut(b, []byte(stampMark))
	if !ok {
		return s, nil, false
	}
	inside, rest, ok := bytes.Cut(b, []byte(stampMark))
	number, sent, parted := strings.Cut(string(inside), ":")
	n, err := strconv.Atoi(number)
	at, err2 := strconv.ParseInt(sent, 10, 64)
	return stamp{n, time.Unix(0, at)}, rest, ok && parted && err == nil && err2 == nil
}
