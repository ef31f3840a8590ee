package bus

import (
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// session is one connection for events, from dial to close.
type session struct {
	server *server.Server // nil: external
	conn   *nats.Conn
	closed chan struct{}
}

// dial returns a connection that is established or keeps trying. It waits for the
// first attempt at every server.
func (b *Bus) dial(node Node, srv *server.Server) (*session, error) {
	s := &session{server: srv, closed: make(chan struct{})}
	var err error
	s.conn, err = nats.Connect(b.cfg.URL, append(b.common(srv), b.handlers(s, node)...)...)
	return s, err
}

// close returns after the connection's last handler.
func (s *session) close() {
	s.conn.Close()
	<-s.closed
}

// common returns the options of every connection: retry for ever, notice a hung
// server within seconds, and queue nothing while away, because old hints are
// worthless.
func (b *Bus) common(srv *server.Server) []nats.Option {
	opts := append([]nats.Option{
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
	}, b.security...)
	if srv != nil {
		opts = append(opts, nats.InProcessServer(srv))
	}
	return opts
}

// handlers returns the callbacks, which run one at a time in the order of events.
func (b *Bus) handlers(s *session, node Node) []nats.Option {
	return []nats.Option{
		nats.Name(b.cfg.Name),
		nats.NoEcho(),
		nats.ConnectHandler(func(c *nats.Conn) {
			if s.server == nil {
				b.log.Info("bus connected", "server", c.ConnectedUrlRedacted())
			}
			b.came()
		}),
		nats.ReconnectHandler(func(c *nats.Conn) {
			b.counts.reconnects.Add(1)
			b.log.Info("bus reconnected", "server", c.ConnectedUrlRedacted())
			b.came()
		}),
		nats.DisconnectErrHandler(func(c *nats.Conn, err error) {
			if !c.IsClosed() {
				b.log.Warn("bus lost", "error", err)
			}
			b.link.went()
			b.echo.noteTried()
			b.interest.poke() // so that it logs why
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { b.reasons.tell(b.log, err) }),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) { b.fault(node, sub, err) }),
		nats.ClosedHandler(func(*nats.Conn) { close(s.closed) }),
	}
}

func (b *Bus) came() {
	b.reasons.forget()
	b.link.came()
	b.interest.poke()
}
