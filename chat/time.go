package chat

import (
	"encoding/json"
	"fmt"
	"time"
)

const timeLayout = "2006-01-02T15:04:05.000Z"

// Time is an instant in whole milliseconds, UTC: the precision that the wire
// and the database share, so that a time read back equals the time written.
type Time int64

// TimeOf cuts t to milliseconds.
func TimeOf(t time.Time) Time { return Time(t.UnixMilli()) }

// Time gives the instant as a time.Time in UTC.
func (t Time) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }

// Add moves the instant by d.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

// String is RFC 3339 with milliseconds, as on the wire.
func (t Time) String() string { return t.Time().Format(timeLayout) }

// MarshalJSON writes the RFC 3339 form.
func (t Time) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, len(timeLayout)+2)
	b = append(b, '"')
	b = t.Time().AppendFormat(b, timeLayout)
	return append(b, '"'), nil
}

// UnmarshalJSON reads any RFC 3339 time and cuts it to milliseconds.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("read time: %w", err)
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("read time: %w", err)
	}
	*t = TimeOf(at)
	return nil
}
