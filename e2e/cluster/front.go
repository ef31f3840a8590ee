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

// frontHead is a balancer as an operator would write it. Who is not ready gets no
// new connections; those that a node has are its to send away.
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
  bind %s
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
	output  *output
}

// Front starts a HAProxy and waits until it finds a node. It ends with the cluster.
func (c *Cluster) Front(ctx context.Context, program string) (*Front, error) {
	var listener net.ListenConfig
	free, err := listener.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find address: %w", err)
	}
	f := &Front{address: free.Addr().String(), output: &output{}}
	_ = free.Close() // for HAProxy to take
	var config strings.Builder
	fmt.Fprintf(&config, frontHead, f.address)
	for _, n := range c.Nodes {
		fmt.Fprintf(&config, "  server %s %s\n", n.Name, n.Public.Addr())
	}
	file := filepath.Join(c.cfg.Dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		return nil, fmt.Errorf("write settings of the balancer: %w", err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, "-db", "-f", file)
	if f.process, err = start(cmd, f.output, c.leash.group()); err != nil {
		return nil, err
	}
	c.front = f
	if err := eventually(ctx, func() bool { return f.answers(ctx) }); err != nil {
		return nil, fmt.Errorf("the balancer does not answer: %w: %s", err, f.output)
	}
	return f, nil
}

// URL is where people find the deployment.
func (f *Front) URL() string { return "http://" + f.address }

func (f *Front) answers(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL()+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}
