package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fechatter/conform/client"
	"fechatter/e2e/cluster"
)

// prometheus is a real one that scrapes a node as deploy/prometheus configures it, but
// more often.
type prometheus struct {
	t   *testing.T
	url string
}

// TestDashboardsShowARunningNode: every query of every dashboard and every recording
// rule has data from a node that was used a little, and no alert is on.
func TestDashboardsShowARunningNode(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("prometheus"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("not tested: ", err)
	}
	admin := freeAddress(t)
	n := start(t, t.TempDir(), "FECHATTER_ADMIN_LISTEN="+admin)
	p := startPrometheus(t, admin)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	chatID := ada.Group(bob)
	socket := bob.Fresh()
	queries := dashboardQueries(t)
	if len(queries) < 70 {
		t.Fatalf("only %d queries found", len(queries))
	}
	for rule := range strings.Lines(read(t, "../deploy/prometheus/rules.yml")) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(rule), "- record: "); ok {
			queries[name] = "rules.yml"
		}
	}
	// A rate needs two samples that differ, a recording rule one evaluation more.
	eventually(t, "recorded", func() bool {
		ada.Say(chatID, "over REST")
		socket.OK("message.send", map[string]any{"chat_id": chatID, "key": client.NewKey(), "body": "over a WebSocket"})
		return len(p.query("fechatter:send_ack_seconds:p99_5m >= 0")) > 0
	})
	// A scrape that a busy machine does not answer in time leaves a gap for a moment.
	for query, from := range queries {
		eventually(t, "shown: "+from+": "+query, func() bool { return len(p.query(query)) > 0 })
	}
	eventually(t, "free of alerts", func() bool { return len(p.query(`ALERTS{alertname!="FechatterRestarts"}`)) == 0 })
}

func startPrometheus(t *testing.T, target string) *prometheus {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	rules, err := filepath.Abs("../deploy/prometheus/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	config := strings.NewReplacer("_interval: 15s", "_interval: 250ms", "- rules.yml", "- "+rules, "node1:9090, node2:9090", target).
		Replace(read(t, "../deploy/prometheus/prometheus.yml"))
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var log cluster.Output
	cmd := exec.Command("prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(&log)
		}
	})
	return &prometheus{t, "http://" + address}
}

// query returns the series of an instant query; none while Prometheus starts.
func (p *prometheus) query(expr string) []json.RawMessage {
	p.t.Helper()
	res, err := http.Get(p.url + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		return nil
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		Error string
		Data  struct{ Result []json.RawMessage }
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err == nil && answer.Error != "" {
		p.t.Errorf("%s: %s", expr, answer.Error)
	}
	return answer.Data.Result
}

// dashboardQueries returns the expressions of all panels, as Grafana would send them,
// and where they stand.
func dashboardQueries(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../deploy/grafana/*.json")
	if err != nil || len(files) != 3 {
		t.Fatalf("dashboards: %v, %v", files, err)
	}
	variable := regexp.MustCompile(`"\$\w+"`)
	found := map[string]string{}
	for _, file := range files {
		var d struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		if err := json.Unmarshal([]byte(read(t, file)), &d); err != nil {
			t.Fatal(err)
		}
		for _, panel := range d.Panels {
			for _, target := range panel.Targets {
				expr := strings.ReplaceAll(target.Expr, "$__rate_interval", "5m")
				expr = strings.ReplaceAll(variable.ReplaceAllString(expr, `".+"`), `instance=".+"`, `instance=~".+"`)
				found[expr] = filepath.Base(file) + ", " + panel.Title
			}
		}
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
