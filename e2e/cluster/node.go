package cluster

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"fechatter/e2e/proxy"
)

// Node is one process of the program under test, and its edges. It may be started
// again after it has ended; clients find it at the same address.
type Node struct {
	Name     string
	Public   *proxy.Proxy // before it
	Database *proxy.Proxy // between it and PostgreSQL
	Buses    []*proxy.Bus // between it and each NATS server

	program, dir string
	env          []string
	group        int
	process      *process
	output       *Output

	mu     sync.Mutex
	direct string // where the process listens, past the proxy
}

// Direct is where the running node is, past its proxy; "" if it does not run. It may
// be called concurrently.
func (n *Node) Direct() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.direct
}

func (n *Node) found(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.direct = address
}

// URL is where clients find the node, through its proxy.
func (n *Node) URL() string { return "http://" + n.Public.Addr() }

// Use sets the program that the node runs from its next start on.
func (n *Node) Use(program string) { n.program = program }

// Log is the last of what the node printed.
func (n *Node) Log() string { return n.output.String() }

// Start runs the node and waits until it is ready.
func (n *Node) Start(ctx context.Context) error {
	if err := n.launch(ctx); err != nil {
		return err
	}
	if err := n.AwaitReady(ctx); err != nil {
		return fmt.Errorf("node %s: %w: %s", n.Name, err, n.Log())
	}
	return nil
}

// launch runs the node and points its proxy there.
func (n *Node) launch(ctx context.Context) error {
	said := n.output.Address()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), n.program)
	cmd.Dir, cmd.Env = n.dir, append(os.Environ(), n.env...)
	var err error
	if n.process, err = start(cmd, n.output, n.group); err != nil {
		return err
	}
	select {
	case address := <-said:
		n.Public.Target("tcp", strings.TrimSpace(address))
		n.found("http://" + strings.TrimSpace(address))
		return nil
	case <-n.process.ended:
		return fmt.Errorf("node %s ended: %w: %s", n.Name, n.process.err, n.Log())
	case <-ctx.Done():
		return fmt.Errorf("node %s does not say where it is: %w: %s", n.Name, ctx.Err(), n.Log())
	case <-time.After(patience):
		return fmt.Errorf("node %s does not say where it is: %s", n.Name, n.Log())
	}
}

// AwaitReady polls /readyz until the node can take traffic or ctx ends.
func (n *Node) AwaitReady(ctx context.Context) error {
	client := http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	err := eventually(ctx, func() bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.URL()+"/readyz", nil)
		if err != nil {
			return false
		}
		req.Close = true
		res, err := client.Do(req)
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	return nil
}

// Kill is kill -9.
func (n *Node) Kill() error {
	n.Public.Target("", "")
	n.found("")
	return n.process.kill()
}

// Stop is SIGTERM, and returns how the process ended. New connections reach the node
// until it has.
func (n *Node) Stop() error {
	err := n.process.stop()
	n.Public.Target("", "")
	n.found("")
	return err
}

// Freeze suspends the process until Thaw.
func (n *Node) Freeze() error { return n.process.signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (n *Node) Thaw() error { return n.process.signal(syscall.SIGCONT) }

func (n *Node) close() error {
	var err error
	if n.process != nil {
		err = n.process.kill()
	}
	n.Public.Close()
	n.Database.Close()
	for _, b := range n.Buses {
		b.Close()
	}
	return err
}
