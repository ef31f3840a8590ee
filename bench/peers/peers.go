// Package peers holds the servers that the program is measured beside: each takes
// WebSockets at /ws and gives what one client says to all of them, the speaker too.
//
// They do that and nothing else: no log-in, no storage, no order over crashes.
package peers

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// maxMessage is how many bytes a client may say at once.
const maxMessage = 64 << 10

// Names lists the peers in the order in which they are shown.
func Names() []string {
	return []string{"centrifuge", "centrifuge-tuned", "gorilla", "gws", "coder"}
}

// Serve is the server of that name on l, until ctx ends.
func Serve(ctx context.Context, name string, l net.Listener) error {
	handler, err := handlerOf(ctx, name)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/ws", handler)
	mux.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	return s.Serve(l)
}

func handlerOf(ctx context.Context, name string) (http.Handler, error) {
	switch name {
	case "centrifuge":
		return newCentrifuge(false)
	case "centrifuge-tuned":
		return newCentrifuge(true)
	case "gorilla":
		return newGorilla(ctx), nil
	case "gws":
		return newGWS(), nil
	case "coder":
		return newCoder(), nil
	}
	return nil, fmt.Errorf("there is no peer %q", name)
}
