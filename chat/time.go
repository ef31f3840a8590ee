package chat

import (
	"encoding/json"
	"fmt"
	"time"
)

const timeLayout = "2006-01-02T15:04:05.000Z"

// Time is an instant in whole milliseconds since 1970, UTC: the precision that the
// wire and the database share, so that a time read back equals the time written.
type Time int64

// TimeOf returns t truncated to milliseconds.
func TimeOf(t time.Time) Time { return Time(t.UnixMilli()) }

// Time returns the instant as a time.Time in UTC.
func (t Time) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }

// Add returns the instant moved by d.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

// dayLength is how long a day in UTC is.
const dayLength = 24 * time.Hour

// Day returns the number of the day, counted from 1970 in UTC.
func (t Time) Day() int64 { return int64(t) / dayLength.Milliseconds() }

// UntilTomorrow returns how long the day still lasts.
func (t Time) UntilTomorrow() time.Duration {
	return dayLength - time.Duration(int64(t)%dayLength.Milliseconds())*time.Millisecond
}

// String returns the instant in RFC 3339 with milliseconds, as on the wire.
func (t Time) String() string { return t.Time().Format(timeLayout) }

// MarshalJSON writes the RFC 3339 form.
func (t Time) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, len(timeLayout)+2)
	b = append(b, '"')
	b = t.Time().AppendFormat(b, timeLayout)
	return append(b, '"'), nil
}

// UnmarshalJSON reads any RFC 3339 time and truncates it to milliseconds.
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
