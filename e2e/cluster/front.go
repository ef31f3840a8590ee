package cluster

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// frontHead configures a balancer as an operator would. A node that is not ready gets
// no new connections; it is up to the node to send away those that it has. The
// balancer listens on a socket that it inherits.
const frontHead = `global
  maxconn 4000
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  retries 3
  option redispatch 1
frontend people
  bind fd@3
  default_backend nodes
backend nodes
  balance leastconn
  option forwardfor
  option httpchk GET /readyz
  default-server inter 200ms fall 1 rise 1 check
`

// Front is a HAProxy before all nodes.
type Front struct {
	address string
	process *process
	output  *Output
}

// Front starts a HAProxy and waits until it finds a node. It ends with the cluster.
func (c *Cluster) Front(ctx context.Context, program string) (*Front, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the balancer: %w", err)
	}
	defer func() { _ = listener.Close() }() // HAProxy has a copy
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		return nil, fmt.Errorf("listen for the balancer: %w", err)
	}
	defer func() { _ = socket.Close() }()
	f := &Front{address: listener.Addr().String(), output: &Output{}}
	var text strings.Builder
	text.WriteString(frontHead)
	for _, n := range c.Nodes {
		fmt.Fprintf(&text, "  server %s %s\n", n.Name, n.Public.Addr())
	}
	file := filepath.Join(c.cfg.Dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return nil, fmt.Errorf("write settings of the balancer: %w", err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, "-db", "-f", file)
	cmd.ExtraFiles = []*os.File{socket}
	if f.process, err = start(cmd, f.output, c.leash.group()); err != nil {
		return nil, err
	}
	c.front = f
	if err := eventually(ctx, func() bool { return f.Answers(ctx) }); err != nil {
		return nil, fmt.Errorf("the balancer does not answer: %w: %s", err, f.output)
	}
	return f, nil
}

// URL is where people find the deployment.
func (f *Front) URL() string { return "http://" + f.address }

// Answers reports whether the balancer finds a node that is ready.
func (f *Front) Answers(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL()+"/readyz", nil)
	if err != nil {
		return false
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}
