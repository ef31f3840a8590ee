package bus

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// startServer starts a NATS server that listens on no port, stores nothing, and
// leaves signals to the process.
func startServer(name string, log *slog.Logger) (*server.Server, error) {
	s, err := server.NewServer(&server.Options{
		ServerName: name,
		DontListen: true,
		NoSigs:     true,
		JetStream:  false,
	})
	if err != nil {
		return nil, err
	}
	s.SetLogger(serverLog{log}, false, false)
	s.Start()
	if !s.ReadyForConnections(5 * time.Second) {
		stopServer(s)
		return nil, errors.New("not ready within 5 s")
	}
	return s, nil
}

// stopServer calls Shutdown rather than LameDuckShutdown, which does nothing
// without a listener.
func stopServer(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// serverLog passes on the warnings of the embedded server. Its notices concern a
// server that nobody administers, so they go to debug.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Noticef(format string, v ...any) {
	l.log.Debug("nats: " + fmt.Sprintf(format, v...))
}
func (l serverLog) Debugf(format string, v ...any) { l.log.Debug("nats: " + fmt.Sprintf(format, v...)) }
func (l serverLog) Tracef(format string, v ...any) { l.log.Debug("nats: " + fmt.Sprintf(format, v...)) }
func (l serverLog) Warnf(format string, v ...any)  { l.log.Warn("nats: " + fmt.Sprintf(format, v...)) }
func (l serverLog) Errorf(format string, v ...any) { l.log.Error("nats: " + fmt.Sprintf(format, v...)) }
func (l serverLog) Fatalf(format string, v ...any) { l.log.Error("nats: " + fmt.Sprintf(format, v...)) }
