package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// healthcheckLimit bounds the question: whoever asks every few seconds must not
// pile up.
const healthcheckLimit = 3 * time.Second

// CheckHealth asks the node of these settings, on this machine, whether it can
// take traffic. It is for containers without a shell. The error is the answer no.
func CheckHealth(ctx context.Context, c Config, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, healthcheckLimit)
	defer cancel()
	url := "http://" + reachable(c.Listen) + "/health/simple"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	// A node listens at home: whatever proxy the environment names is not asked.
	client := http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("healthcheck: the node answers %s", res.Status)
	}
	_, err = fmt.Fprintln(out, "ok")
	return err
}

// reachable is a listen address as it is dialled: one that means every address
// is reached at home.
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
