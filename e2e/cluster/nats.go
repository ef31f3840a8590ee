package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"fechatter/e2e/proxy"
)

// The only user of the NATS servers.
const (
	NatsUser     = "fechatter"
	NatsPassword = "notToBeShown"
)

// Nats is one NATS server and the proxies before it.
type Nats struct {
	program string
	dir     string
	group   int
	routes  []*proxy.Proxy // to all servers of the cluster, this one too; nil: it is alone
	self    int            // which of them leads here
	fronts  []*proxy.Bus   // of the nodes
	process *process
	output  *Output
}

// ports is where a server says that it listens.
type ports struct {
	Nats    []string `json:"nats"`
	Cluster []string `json:"cluster"`
}

// Start runs the server on new ports and points the proxies there.
func (n *Nats) Start(ctx context.Context) error {
	args := []string{"-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", n.dir, "--user", NatsUser, "--pass", NatsPassword}
	if n.routes != nil {
		var routes []string
		for _, r := range n.routes {
			routes = append(routes, "nats://"+r.Addr())
		}
		args = append(args, "--cluster", "nats://127.0.0.1:-1", "--cluster_name", "fechatter", "--no_advertise=true",
			"--routes", strings.Join(routes, ","))
	}
	var err error
	if n.process, err = start(exec.CommandContext(context.WithoutCancel(ctx), n.program, args...), n.output, n.group); err != nil {
		return err
	}
	var at ports
	file := filepath.Join(n.dir, fmt.Sprintf("%s_%d.ports", filepath.Base(n.program), n.process.cmd.Process.Pid))
	err = eventually(ctx, func() bool {
		data, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(data, &at) == nil && len(at.Nats) > 0
	})
	if err != nil {
		return fmt.Errorf("nats-server does not say its ports: %w: %s", err, n.output)
	}
	for _, f := range n.fronts {
		f.Target("tcp", strings.TrimPrefix(at.Nats[0], "nats://"))
	}
	if n.routes != nil && len(at.Cluster) > 0 {
		n.routes[n.self].Target("tcp", strings.TrimPrefix(at.Cluster[0], "nats://"))
	}
	return nil
}

// Kill is kill -9.
func (n *Nats) Kill() error {
	for _, f := range n.fronts {
		f.Target("", "")
	}
	return n.process.kill()
}

// Freeze suspends the server until Thaw.
func (n *Nats) Freeze() error { return n.process.signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (n *Nats) Thaw() error { return n.process.signal(syscall.SIGCONT) }

func (n *Nats) close() error {
	if n.process == nil {
		return nil
	}
	return errors.Join(n.process.kill())
}
