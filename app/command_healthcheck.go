package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthcheckLimit bounds a check: one every few seconds must not pile up.
const healthcheckLimit = 3 * time.Second

// CheckHealth asks the node with these settings, on this machine, whether it can take
// traffic. It is for containers without a shell. An error means no.
func CheckHealth(ctx context.Context, c Config, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, healthcheckLimit)
	defer cancel()
	url := "http://" + reachable(c.Listen) + "/health/simple"
	if c.servesTLS() {
		url = "https" + strings.TrimPrefix(url, "http")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	// The node is on this machine: a proxy named in the environment is not used.
	client := http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true, TLSClientConfig: ownTLS(c)}}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("healthcheck: the node answered %s", res.Status)
	}
	_, err = fmt.Fprintln(out, "ok")
	return err
}

// reachable turns a listen address into one to dial: a node that listens on every
// address is reached on localhost.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// ownTLS is for asking the node itself: whether others trust its certificate is told by
// its health, and must not take the node out.
func ownTLS(c Config) *tls.Config {
	return &tls.Config{ServerName: c.publicHost(), InsecureSkipVerify: true} //nolint:gosec // nothing secret is sent to this machine
}
