package e2e

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fechatter/e2e/cluster"
)

// program is the binary under test, built once; buildDir is where it is.
var program, buildDir string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if testing.Short() {
		return m.Run() // which skips all that starts a node
	}
	dir, err := os.MkdirTemp("", "fechatter-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	buildDir = dir
	program = filepath.Join(dir, "fechatter")
	if out, err := exec.Command("go", "build", "-o", program, "fechatter").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// patience bounds a hang, such as that of a node that never gets ready, or of a
// cluster that does not come to rest after its last fault. It measures no speed.
const patience = 2 * time.Minute

// node is one running program.
type node struct {
	t     *testing.T
	url   string
	cmd   *exec.Cmd
	log   *cluster.Output
	ended chan error
}

// start runs the program in dir, with its data in dir/data, and waits until it is
// ready. It limits no rates unless env says so.
func start(t *testing.T, dir string, env ...string) *node {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a node")
	}
	cmd := exec.Command(program)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "FECHATTER_LISTEN=127.0.0.1:0", "FECHATTER_ADMIN_LISTEN=", "FECHATTER_DRAIN_DELAY=0s", "FECHATTER_LOG_LEVEL=warn", "FECHATTER_REGISTRATION=open",
		"FECHATTER_LIMITS_SENDS_PER_SECOND=0", "FECHATTER_LIMITS_REQUESTS_PER_SECOND=0", "FECHATTER_LIMITS_PEOPLE_PER_MINUTE=0", "FECHATTER_LIMITS_SIGNUPS_PER_IP_PER_MINUTE=0",
		"FECHATTER_LIMITS_LOGINS_PER_IP_PER_MINUTE=0", "FECHATTER_LIMITS_CONNECTIONS_PER_USER=0",
		"FECHATTER_LIMITS_DELIVERIES_PER_SECOND=0", "FECHATTER_LIMITS_BYTES_PER_DAY=0")
	cmd.Env = append(cmd.Env, env...)
	n := launch(t, cmd)
	n.awaitReady()
	return n
}

// launch runs a node that says where it is. The test's end kills it.
func launch(t *testing.T, cmd *exec.Cmd) *node {
	t.Helper()
	n := &node{t: t, cmd: cmd, log: &cluster.Output{}, ended: make(chan error, 1)}
	address := n.log.Address()
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { n.ended <- n.cmd.Wait() }()
	t.Cleanup(func() {
		n.kill()
		if t.Failed() {
			t.Logf("log of %s:\n%s", n.url, n.log)
		}
	})
	select {
	case at := <-address:
		n.url = "http://" + strings.TrimSpace(at)
	case err := <-n.ended:
		n.ended <- err
		t.Fatalf("the node ended with %v:\n%s", err, n.log)
	case <-time.After(patience):
		t.Fatalf("the node does not say where it is:\n%s", n.log)
	}
	return n
}

// freeAddress returns an address for a program that cannot choose one itself. The system
// never assigns a port below 32768 by itself, so that this one stays free until the
// program listens there.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 20000+rand.IntN(12000)))
		if err == nil {
			defer func() { _ = l.Close() }()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

func (n *node) awaitReady() {
	n.t.Helper()
	eventually(n.t, "ready", func() bool { return n.status("/readyz") == http.StatusOK })
}

// status returns the status of a GET, 0 without an answer.
func (n *node) status(path string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.url+path, nil)
	if err != nil {
		return 0
	}
	req.Close = true // the node may stop before the next request
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// eventually polls: another process has no channel to wait on.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not %s after %s", what, patience)
		}
	}
}

// kill is kill -9. It does nothing to a node that has ended.
func (n *node) kill() {
	_ = n.cmd.Process.Signal(syscall.SIGKILL)
	_ = n.await() // killed
}

// stop is SIGTERM, and returns how the process ended.
func (n *node) stop() error {
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	return n.await()
}

func (n *node) await() error {
	select {
	case err := <-n.ended:
		n.ended <- err
		return err
	case <-time.After(patience):
		n.t.Error("the process does not end")
		return fmt.Errorf("process %d does not end", n.cmd.Process.Pid)
	}
}
