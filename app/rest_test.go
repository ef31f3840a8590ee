package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fechatter/conform/client"
)

// TestManySendsByREST: sends that come at once, over several connections or over one that
// carries many requests, wait for no other and are stored in the same commit.
func TestManySendsByREST(t *testing.T) {
	t.Parallel()
	in, err := LoadConfig([]string{"--database=sqlite:" + t.TempDir() + "/chat.db", "--listen=127.0.0.1:0", "--admin-listen=", "--drain-delay=0s",
		"--search=bleve:" + t.TempDir(), "--registration=open", "--limits-sends-per-second=0"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	n, err := Open(t.Context(), in.Config, "test", quiet())
	if err != nil {
		t.Fatal(err)
	}
	running(t, n)
	ann := client.SignUp(t, n.URL(), "ann")
	room := ann.Group()
	send := func(c *http.Client, url string) error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/v1/chats/"+room+"/messages", strings.NewReader(`{"body":"hello"}`))
		if err != nil {
			return err
		}
		r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + ann.Token}, "Idempotency-Key": {client.NewKey()}}
		res, err := c.Do(r)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusCreated {
			return fmt.Errorf("status %d, %w: %s", res.StatusCode, err, body)
		}
		return nil
	}
	t.Run("HTTP/1.1 over several connections", func(t *testing.T) {
		several := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
		t.Cleanup(several.CloseIdleConnections)
		n.wantSharedCommit(t, func() error { return send(several, n.URL()) })
	})
	t.Run("HTTP/2 over one", func(t *testing.T) {
		var dialled atomic.Int32
		s := httptest.NewUnstartedServer(n.server.Handler())
		s.EnableHTTP2 = true
		s.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
			dialled.Add(1)
			return ctx
		}
		s.StartTLS()
		t.Cleanup(s.Close)
		n.wantSharedCommit(t, func() error { return send(s.Client(), s.URL) })
		if made := dialled.Load(); made != 1 {
			t.Errorf("%d connections, want 1", made)
		}
	})
}

// wantSharedCommit sends many at once, again and again, until two were in the same commit: that
// they are is likely each time, and would never happen if one waited for the other's answer.
func (n *Node) wantSharedCommit(t *testing.T, send func() error) {
	t.Helper()
	if err := send(); err != nil { // over the only connection, if there is to be one
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		before := n.parts.store.Stats()
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				if err := send(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		after := n.parts.store.Stats()
		if after.Sends-before.Sends > after.Batches-before.Batches {
			return
		}
	}
	t.Error("no two of many sends were in the same commit")
}
