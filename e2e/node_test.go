package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"testing"
	"time"
)

// program is the binary under test, built once; buildDir is where it is.
var program, buildDir string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "fechatter-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	buildDir = dir
	program = filepath.Join(dir, "fechatter")
	if out, err := exec.Command("go", "build", "-tags", tags(), "-o", program, "fechatter").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// tags are those of this test, so that a proof by mutation reaches the program.
func tags() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			return s.Value
		}
	}
	return ""
}

// node is one running program.
type node struct {
	t     *testing.T
	url   string
	admin string
	cmd   *exec.Cmd
	log   *bytes.Buffer
	ended chan error
}

// start runs the program in dir, with its data in dir/data, and waits until it
// is ready. Rates are not limited unless env says so.
func start(t *testing.T, dir string, env ...string) *node {
	t.Helper()
	n := &node{t: t, log: &bytes.Buffer{}, ended: make(chan error, 1)}
	listen, admin := freeAddress(t), freeAddress(t)
	n.url, n.admin = "http://"+listen, "http://"+admin
	n.cmd = exec.Command(program)
	n.cmd.Dir = dir
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	n.cmd.Env = append(os.Environ(), "FECHATTER_LISTEN="+listen, "FECHATTER_ADMIN_LISTEN="+admin, "FECHATTER_DRAIN_DELAY=0s", "FECHATTER_LOG_LEVEL=warn",
		"FECHATTER_LIMITS_SENDS_PER_SECOND=0", "FECHATTER_LIMITS_REQUESTS_PER_SECOND=0", "FECHATTER_LIMITS_SIGNUPS_PER_IP_PER_MINUTE=0",
		"FECHATTER_LIMITS_LOGINS_PER_IP_PER_MINUTE=0", "FECHATTER_LIMITS_CONNECTIONS_PER_USER=0")
	n.cmd.Env = append(n.cmd.Env, env...)
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
	n.awaitReady()
	return n
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func (n *node) awaitReady() {
	n.t.Helper()
	n.eventually("ready", func() bool { return n.status("/readyz") == http.StatusOK })
}

// status gives the status of a GET, 0 when there is no answer.
func (n *node) status(path string) int {
	res, err := http.Get(n.url + path)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// eventually polls, for another process has no channel to wait on.
func (n *node) eventually(what string, ok func() bool) {
	n.t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			n.t.Fatalf("not %s after 20 s; log:\n%s", what, n.log)
		}
	}
}

// kill is kill -9. On a node that has ended it does nothing.
func (n *node) kill() {
	_ = n.cmd.Process.Signal(syscall.SIGKILL)
	n.await()
}

// stop is SIGTERM, and gives how the process ended.
func (n *node) stop() error {
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	return n.await()
}

func (n *node) await() error {
	select {
	case err := <-n.ended:
		n.ended <- err
		return err
	case <-time.After(40 * time.Second):
		n.t.Error("the process does not end")
		return fmt.Errorf("process %d does not end", n.cmd.Process.Pid)
	}
}
