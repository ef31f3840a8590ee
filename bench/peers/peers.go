// Package peers holds the servers that bench compares the program with: each accepts
// WebSockets at /ws and passes what one client says on to all of them, the sender too.
//
// They do that and nothing else: no log-in, no storage, no order across crashes.
package peers

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// maxMessage bounds a message of a client, in bytes.
const maxMessage = 64 << 10

// Names lists the peers in the order in which to show them.
func Names() []string {
	return []string{"centrifuge", "centrifuge-tuned", "gws", "gorilla", "coder", "nbio", "raw", "raw-coalesced"}
}

// Serve runs the server of that name on l until ctx ends.
func Serve(ctx context.Context, name string, l net.Listener) error {
	handler, err := handlerOf(ctx, name)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/ws", handler)
	mux.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	if name == "nbio" {
		return serveNBIO(ctx, mux, l)
	}
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
	case "nbio":
		return newNBIO(), nil
	case "raw":
		return newRaw(ctx, false)
	case "raw-coalesced":
		return newRaw(ctx, true)
	}
	return nil, fmt.Errorf("there is no peer %q", name)
}
