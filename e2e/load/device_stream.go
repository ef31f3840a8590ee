package load

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// streamSilence is how long a device bears to hear nothing on an SSE stream, where
// the server says something every 15 s.
const streamSilence = 20 * time.Second

// stream is one SSE stream from the request to the end, resumed by the newest
// token.
func (d *device) stream(ctx context.Context, url string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silent := time.AfterFunc(streamSilence, cancel)
	defer silent.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/events", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+d.client.Token)
	if d.resumeAt != "" {
		req.Header.Set("Last-Event-ID", d.resumeAt)
	}
	res, err := d.client.HTTP.Do(req)
	if err != nil {
		return nil //nolint:nilerr // the node is away: the next try goes elsewhere
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		if res.StatusCode < 500 {
			return fmt.Errorf("GET /events: status %d", res.StatusCode)
		}
		return nil
	}
	d.enter(nil, url)
	defer d.leave()
	return d.readBlocks(bufio.NewReader(res.Body), silent)
}

// readBlocks reads a stream block by block to its end.
func (d *device) readBlocks(r *bufio.Reader, silent *time.Timer) error {
	var data, id string
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil //nolint:nilerr // streams end: the next one resumes
		}
		silent.Reset(streamSilence)
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "data":
			data += value
		case "id":
			id = value
		case "":
			if data != "" {
				if err := d.block([]byte(data)); err != nil {
					return err
				}
			}
			if id != "" {
				d.resumeAt = id
			}
			data, id = "", ""
		}
	}
}

// block notes an event of a stream unless the device holds it already: SSE delivers
// at least once.
func (d *device) block(data []byte) error {
	var at struct {
		ChatID string `json:"chat_id"`
		Seq    int64  `json:"seq"`
		Op     string `json:"op"`
	}
	if err := json.Unmarshal(data, &at); err != nil {
		return fmt.Errorf("the server said %q: %w", data, err)
	}
	d.mu.Lock()
	held, known := d.cursors[at.ChatID]
	d.mu.Unlock()
	if known && at.Seq > 0 && at.Seq <= held && at.Op != "reset" {
		return nil
	}
	return d.note(data)
}
