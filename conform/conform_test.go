package conform_test

import (
	"context"
	"encoding/xml"
	"errors"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"fechatter/chat"
	"fechatter/conform"
	"fechatter/persistence/postgrestest"
	"fechatter/presence/redistest"
)

// run makes the checks and returns the report.
func run(t *testing.T, c conform.Config) conform.Report {
	t.Helper()
	c.Slack = 10 * time.Second // other tests keep the machine busy
	report, err := conform.Run(t.Context(), c, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// skips returns the names of the checks that were skipped, and why.
func skips(r conform.Report) (names []string) {
	for _, result := range r.Results {
		if result.Outcome == conform.Skip {
			names = append(names, result.Name+": "+result.Reason)
		}
	}
	return names
}

// TestNodeConforms checks a node with its default settings.
func TestNodeConforms(t *testing.T) {
	t.Parallel()
	n := launch(t)
	code, _, err := n.Chat().SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	report := run(t, conform.Config{URL: n.URL() + "/", SetupCode: code})
	if report.Count(conform.Fail) > 0 || report.Count(conform.Pass) < 75 {
		t.Errorf("%s", report)
	}
	for _, name := range skips(report) {
		if !strings.HasPrefix(name, "nodes:") && !strings.HasSuffix(name, "not served") && !strings.HasSuffix(name, "no public_url") {
			t.Errorf("skipped: %s", name)
		}
	}
	checkJUnit(t, report)
}

// TestNodeWithAPublicURL checks a node by its address, which is not how browsers reach it.
func TestNodeWithAPublicURL(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	_ = l.Close()
	public := startNode(t, append(unlimited(), "--public-url=https://chat.example.org", "--listen="+at)...)
	only := regexp.MustCompile("§3 (unsafe|WebSocket and SSE|the cookie|other names)")
	for origin, skipped := range map[string]int{"": 1, public: 0} {
		report := run(t, conform.Config{URL: "http://" + at, Origin: origin, Only: only})
		if report.Count(conform.Fail) > 0 || report.Count(conform.Skip) != skipped || report.Count(conform.Pass) != 5-skipped {
			t.Errorf("origin %q: %s: %v", origin, report, skips(report))
		}
	}
}

func checkJUnit(t *testing.T, report conform.Report) {
	var b strings.Builder
	if err := report.WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Class   string    `xml:"classname,attr"`
			Skipped *struct{} `xml:"skipped"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal([]byte(b.String()), &suite); err != nil {
		t.Fatal(err)
	}
	skipped := 0
	for _, c := range suite.Cases {
		if c.Skipped != nil {
			skipped++
		}
		if !strings.HasPrefix(c.Class, "conform.§") {
			t.Errorf("class %q", c.Class)
		}
	}
	if suite.Tests != len(report.Results) || suite.Failures != 0 || suite.Skipped != skipped || len(suite.Cases) != suite.Tests {
		t.Errorf("JUnit has %+v, the report %s", suite, report)
	}
}

// TestTwoNodesConform checks two nodes over PostgreSQL, NATS and Redis.
func TestTwoNodesConform(t *testing.T) {
	t.Parallel()
	postgres, err := postgrestest.Start(t.Context())
	if err != nil {
		t.Skip("PostgreSQL is not tested: ", err)
	}
	t.Cleanup(func() {
		if err := postgres.Stop(); err != nil {
			t.Error(err)
		}
	})
	database, err := postgres.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	redis, err := redistest.Start(t.Context())
	if err != nil {
		t.Skip("Redis is not tested: ", err)
	}
	t.Cleanup(func() {
		if err := redis.Stop(); err != nil {
			t.Error(err)
		}
	})
	args := append(unlimited(), "--database="+database, "--nats="+startNATS(t), "--presence="+redis.URL())
	report := run(t, conform.Config{URL: startNode(t, args...), Other: startNode(t, args...),
		Only: regexp.MustCompile(`nodes:|one order|resume|revoked|tokens?|presence|typing`)})
	if report.Count(conform.Fail) > 0 || report.Count(conform.Skip) > 0 || report.Count(conform.Pass) < 15 {
		t.Errorf("%s: %v", report, skips(report))
	}
}

// TestNodesOfTwoDeployments: nodes of different deployments do not pass for one.
func TestNodesOfTwoDeployments(t *testing.T) {
	t.Parallel()
	report := run(t, conform.Config{URL: startNode(t), Other: startNode(t), Only: regexp.MustCompile("nodes: (what|joining)")})
	if report.Count(conform.Fail) != 2 || len(report.Results) != 3 {
		t.Errorf("%s", report)
	}
}

func startNATS(t *testing.T) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("NATS does not start")
	}
	return s.ClientURL()
}

func TestNothingToCheck(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "chat.example.org", "ftp://chat.example.org", "http://127.0.0.1:1"} {
		_, err := conform.Run(t.Context(), conform.Config{URL: address}, t.Output())
		if err == nil || errors.Is(err, t.Context().Err()) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// TestInterrupted ends a run early, which removes what it made all the same.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	first := output(func(line string) {
		if strings.Contains(line, "an acknowledged message is there") {
			cancel()
		}
	})
	report, err := conform.Run(ctx, conform.Config{URL: startNode(t), Only: regexp.MustCompile("^§[24]")}, first)
	if !errors.Is(err, context.Canceled) || report.Count(conform.Pass) < 2 || report.Count(conform.Skip) < 30 {
		t.Fatalf("%v: %s", err, report)
	}
	if last := report.Results[len(report.Results)-1]; last.Name != "what was made can be removed" || last.Outcome != conform.Pass {
		t.Errorf("at the end: %s", last)
	}
}

// output calls a function with what is written.
type output func(string)

func (o output) Write(b []byte) (int, error) {
	o(string(b))
	return len(b), nil
}

// TestConformByInvitation: an invitation is all that a run needs, and without one it says so.
func TestConformByInvitation(t *testing.T) {
	t.Parallel()
	n := launch(t)
	setup, _, err := n.Chat().SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Chat().SignUp(t.Context(), chat.NewUser{Username: "root", Password: "a good password", SetupCode: setup}); err != nil {
		t.Fatal(err)
	}
	only := regexp.MustCompile("§4 (sign-up|profile)")
	if _, err := conform.Run(t.Context(), conform.Config{URL: n.URL(), Only: only}, t.Output()); err == nil || !strings.Contains(err.Error(), "takes an invitation") {
		t.Errorf("without an invitation: %v", err)
	}
	_, code, err := n.Chat().Invite(t.Context(), chat.ByOperator(), chat.NewInvitation{MaxUses: 10})
	if err != nil {
		t.Fatal(err)
	}
	report := run(t, conform.Config{URL: n.URL(), Invitation: code, Only: only})
	if report.Count(conform.Fail) > 0 || report.Count(conform.Pass) == 0 {
		t.Errorf("%s", report)
	}
}
