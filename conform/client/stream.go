package client

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"time"

	"fechatter/client"
)

// Stream is an SSE client that keeps every frame.
type Stream struct {
	*Socket
	Notes  chan string // comments and retry lines as they come, the first 100
	ids    chan string
	cancel context.CancelFunc
}

// Stream opens GET /events; lastID goes into the header if it is not empty.
func (p *Person) Stream(lastID string) *Stream {
	p.t.Helper()
	return p.StreamAt("", lastID)
}

// StreamAt is Stream with a query, such as "?last_event_id=…".
func (p *Person) StreamAt(query, lastID string) *Stream {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/api/v1/events"+query, nil)
	if err != nil {
		p.t.Fatalf("%v", err)
	}
	req.Header.Set("Authorization", "Bearer "+p.Token)
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	res, err := httpOf(p.t).Do(req)
	if err != nil {
		p.t.Fatalf("%v", err)
	}
	p.t.Cleanup(func() {
		cancel()
		_ = res.Body.Close()
	})
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" ||
		res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("X-Accel-Buffering") != "no" {
		p.t.Fatalf("answered %d %v", res.StatusCode, res.Header)
	}
	s := &Stream{Socket: &Socket{t: p.t, frames: make(chan Frame, roomy), closed: make(chan error, 1)},
		ids: make(chan string, 1000), Notes: make(chan string, 100), cancel: cancel}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.read(p.t, bufio.NewReader(res.Body))
	}()
	p.t.Cleanup(func() {
		cancel()
		<-done
	})
	return s
}

func (s *Stream) read(t T, r *bufio.Reader) {
	defer close(s.frames)
	var op, data string
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			s.closed <- err
			return
		}
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, ":") || strings.HasPrefix(line, "retry:") {
			s.note(line)
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "event":
			op = value
		case "data":
			data += value
		case "id":
			s.ids <- value
		case "":
			if data == "" {
				continue
			}
			f, err := client.ParseFrame([]byte(data))
			if err != nil || f.Op != op {
				t.Errorf("event %q holds %q: %v", op, data, err)
			}
			op, data = "", ""
			s.frames <- Frame{f}
		}
	}
}

func (s *Stream) note(line string) {
	select {
	case s.Notes <- line:
	default:
	}
}

// LastID returns the newest token, and waits for the first.
func (s *Stream) LastID() (id string) {
	s.t.Helper()
	deadline := time.After(patienceOf(s.t))
	for {
		select {
		case id = <-s.ids:
		case <-deadline:
			s.t.Fatalf("no token")
		}
		if len(s.ids) == 0 {
			return id
		}
	}
}

// Ends waits for the end of the stream.
func (s *Stream) Ends() {
	s.t.Helper()
	deadline := time.After(patienceOf(s.t))
	for {
		select {
		case f, ok := <-s.frames:
			if !ok {
				return
			}
			s.Seen = append(s.Seen, f)
		case <-deadline:
			s.t.Fatalf("the stream goes on; seen %s", s.Story())
		}
	}
}

// Close leaves the stream.
func (s *Stream) Close() { s.cancel() }
