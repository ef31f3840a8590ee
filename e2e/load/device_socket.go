package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"fechatter/client"
	"fechatter/e2e/check"
)

const (
	dialTimeout = 5 * time.Second
	// callTimeout is how long a command waits before its device gives the
	// connection up and repeats the command on another.
	callTimeout = 4 * time.Second
	// silence is how long a device bears to hear nothing from the server; it pings
	// four times as often.
	silence = 4 * time.Second
)

// connection is one connection from the dial to the end. Its end is no error,
// unless it is one that a client must never see.
func (d *device) connection(ctx context.Context, node string) error {
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := d.at(node).Dial(dialing, client.DialOptions{})
	if err != nil {
		return nil //nolint:nilerr // the node is away: the next try goes elsewhere
	}
	defer func() { _ = conn.CloseNow() }()
	d.enter(conn, node)
	defer d.leave()
	reading, cancelReading := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { d.watch(reading, conn) })
	defer watch.Wait()
	defer cancelReading()
	return d.read(reading, conn)
}

func (d *device) enter(conn *client.Conn, node string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conn, d.heard = conn, time.Now()
	d.noted = d.record.connection(check.Connection{Name: d.label + " at " + node, UserID: d.id, Cursors: maps.Clone(d.cursors), Token: d.sse && d.resumeAt != ""})
}

func (d *device) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conn, d.live = nil, false
}

func (d *device) read(ctx context.Context, conn *client.Conn) error {
	for {
		f, err := conn.Read(ctx)
		if err != nil {
			return verdict(f, err)
		}
		if f.Re != nil && f.Op != "ready" {
			d.hear() // the answer to a ping, or one that nobody waits for any longer
			continue
		}
		if err := d.note([]byte(f.Raw)); err != nil {
			return err
		}
		if f.Op == "hello" && d.resume(ctx, conn) != nil {
			return nil //nolint:nilerr // the connection has ended
		}
	}
}

// verdict says which ends of a connection are the server's fault.
func verdict(f client.Frame, err error) error {
	if f.Raw != "" {
		return err // it said what is no frame
	}
	switch code := client.CloseCode(err); {
	case code >= 4500, code >= 1007 && code <= 1009, code == 1002:
		return fmt.Errorf("closed with %d: %w", code, err)
	}
	return nil
}

func (d *device) resume(ctx context.Context, conn *client.Conn) error {
	d.mu.Lock()
	said := client.Resume{Epoch: d.epoch, Cursors: d.noted.Cursors}
	d.mu.Unlock()
	return write(ctx, conn, "resume", "resume", said)
}

// watch pings, and ends a connection that has gone silent.
func (d *device) watch(ctx context.Context, conn *client.Conn) {
	tick := time.NewTicker(silence / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		d.mu.Lock()
		quiet := time.Since(d.heard)
		d.mu.Unlock()
		if quiet > silence || write(ctx, conn, "ping", "ping", struct{}{}) != nil {
			_ = conn.CloseNow()
			return
		}
	}
}

func write(ctx context.Context, conn *client.Conn, id, op string, d any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return conn.Write(ctx, id, op, d)
}

func (d *device) hear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard = time.Now()
}

// call sends a command on the connection that is there. Without an answer in time
// it gives the connection up.
func (d *device) call(ctx context.Context, op string, body any) (a answer, err error) {
	d.mu.Lock()
	conn := d.conn
	if !d.live { // or listening to a stream, which has no connection
		conn = nil
	}
	d.mu.Unlock()
	if conn == nil {
		return a, client.ErrNoAnswer
	}
	limited, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	f, err := conn.Call(limited, op, body)
	d.hear()
	if errors.Is(err, client.ErrNoAnswer) && ctx.Err() == nil {
		_ = conn.CloseNow()
	}
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(f.D, &a)
}
