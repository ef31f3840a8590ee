package deploy

import (
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

type rule struct {
	Record, Alert, Expr, For string
	Labels                   map[string]string
	Annotations              struct {
		Summary string
		Runbook string `yaml:"runbook_url"`
	}
}

func rules(t *testing.T) (list []rule) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	d := yaml.NewDecoder(strings.NewReader(read(t, "prometheus/rules.yml")))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		list = append(list, g.Rules...)
	}
	return list
}

func TestPromtoolAcceptsTheRules(t *testing.T) {
	t.Parallel()
	promtool := tool(t, "promtool", true)
	for _, args := range [][]string{
		{"check", "rules", "prometheus/rules.yml"},
		{"check", "config", "prometheus/prometheus.yml"},
		{"test", "rules", "prometheus/rules_test.yml"},
	} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

// Every alert has a chapter under its name that tells whoever is on call what to do,
// and every such chapter has an alert.
func TestEveryAlertHasARunbook(t *testing.T) {
	heading := regexp.MustCompile(`(?m)^#+ (Fechatter\w+)$`)
	chapters := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(read(t, "../docs/operations.md"), -1) {
		chapters[m[1]] = true
	}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		if want := "docs/operations.md#" + strings.ToLower(r.Alert); r.Annotations.Runbook != want {
			t.Errorf("%s: its runbook is %s, want %s", r.Alert, r.Annotations.Runbook, want)
		}
		if !chapters[r.Alert] {
			t.Errorf("docs/operations.md has no heading %s", r.Alert)
		}
		delete(chapters, r.Alert)
		if severity := r.Labels["severity"]; severity != "critical" && severity != "warning" && severity != "info" {
			t.Errorf("%s: severity %q", r.Alert, severity)
		}
		if r.Annotations.Summary == "" {
			t.Errorf("%s has no summary", r.Alert)
		}
	}
	for _, left := range slices.Sorted(maps.Keys(chapters)) {
		t.Errorf("docs/operations.md explains %s, which is not an alert", left)
	}
}

// The dashboards are in the form that Grafana expects; e2e tests what their queries
// return.
func TestDashboards(t *testing.T) {
	files, err := filepath.Glob("grafana/*.json")
	if err != nil || len(files) != 3 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		var d struct {
			UID, Title string
			Panels     []struct {
				ID      int
				Title   string
				Type    string
				GridPos struct{ X, Y, W, H int }
				Targets []struct{ Expr, RefID string }
			}
		}
		if err := json.Unmarshal([]byte(read(t, file)), &d); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if d.UID+".json" != filepath.Base(file) || d.Title == "" {
			t.Errorf("%s: uid %q, title %q", file, d.UID, d.Title)
		}
		seen := map[string]bool{}
		for _, p := range d.Panels {
			for _, key := range []string{fmt.Sprint("id ", p.ID), "title " + p.Title, fmt.Sprint("place ", p.GridPos.X, p.GridPos.Y)} {
				if seen[key] {
					t.Errorf("%s: two panels with %s", file, key)
				}
				seen[key] = true
			}
			if g := p.GridPos; len(p.Targets) == 0 || g.X+g.W > 24 || g.W < 1 || g.H < 1 {
				t.Errorf("%s: panel %q: %d queries at %+v", file, p.Title, len(p.Targets), p.GridPos)
			}
		}
	}
}
