package bus

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// session is what Run opens and closes: the connection for events, a second one
// that hears what this node publishes, and the embedded server if there is one.
type session struct {
	server *server.Server
	conn   *nats.Conn
	probe  *nats.Conn
	closed chan struct{}
}

func (b *Bus) dial(node Node) (*session, error) {
	s := &session{closed: make(chan struct{})}
	var err error
	if b.cfg.URL == "" {
		if s.server, err = startServer(b.cfg.Name, b.log); err != nil {
			return nil, fmt.Errorf("start embedded nats: %w", err)
		}
	}
	if s.conn, err = nats.Connect(b.cfg.URL, b.options(s, node)...); err != nil {
		s.stopServer()
		return nil, fmt.Errorf("connect nats: %w", err)
	}
	if s.probe, err = nats.Connect(b.cfg.URL, append(s.common(), nats.Name(b.cfg.Name+" probe"))...); err != nil {
		s.close()
		return nil, fmt.Errorf("connect nats: %w", err)
	}
	return s, nil
}

// close ends the clients first: a server that goes first would make them
// reconnect. LameDuckShutdown does nothing without a listener.
func (s *session) close() {
	if s.probe != nil {
		s.probe.Close()
	}
	s.conn.Close()
	<-s.closed
	s.stopServer()
}

func (s *session) stopServer() {
	if s.server != nil {
		s.server.Shutdown()
		s.server.WaitForShutdown()
	}
}

// common are the options of both connections: try for ever, notice a hung server
// within seconds, and queue nothing while away, for old hints are worth nothing.
func (s *session) common() []nats.Option {
	opts := []nats.Option{
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(250*time.Millisecond, 250*time.Millisecond),
		nats.ReconnectBufSize(-1),
		nats.Timeout(2 * time.Second),
		nats.PingInterval(2 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.FlusherTimeout(2 * time.Second),
	}
	if s.server != nil {
		opts = append(opts, nats.InProcessServer(s.server))
	}
	return opts
}

func (b *Bus) options(s *session, node Node) []nats.Option {
	return append(s.common(),
		nats.Name(b.cfg.Name),
		nats.NoEcho(),
		nats.ConnectHandler(func(c *nats.Conn) { b.report(c, node) }),
		nats.ReconnectHandler(func(c *nats.Conn) {
			b.counts.reconnects.Add(1)
			b.log.Info("bus is back", "server", c.ConnectedUrlRedacted())
			b.report(c, node)
		}),
		nats.DisconnectErrHandler(func(c *nats.Conn, err error) {
			if !c.IsClosed() {
				b.log.Warn("bus lost", "error", err)
			}
			b.report(c, node)
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) { b.fault(node, sub, err) }),
		nats.ClosedHandler(func(*nats.Conn) { close(s.closed) }),
	)
}

// report tells the node how the connection is now, not how it was when the
// handler was queued, so that the last report is the true one.
func (b *Bus) report(c *nats.Conn, node Node) {
	lost := !c.IsConnected()
	node.BusLost(lost)
	if !lost {
		node.CheckNow()
	}
}

func (b *Bus) fault(node Node, sub *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrSlowConsumer) {
		b.counts.gaps.Add(1)
		b.log.Warn("events from the bus dropped: this node is too slow")
		node.CheckNow()
		return
	}
	attrs := []any{"error", err}
	if sub != nil {
		attrs = append(attrs, "subject", sub.Subject)
	}
	b.noisy.Do(func() { b.log.Warn("bus error", attrs...) })
}
