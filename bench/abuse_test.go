package main

import (
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fechatter/client"
)

// TestAbuse makes every flood for a moment. It does not judge how fast the node is meanwhile, only
// that honest people stay connected and are served, and that nothing breaks.
func TestAbuse(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a node")
	}
	program := filepath.Join(t.TempDir(), "fechatter")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	measured, err := abuse(t.Context(), options{program: program, abuse: abuseOptions{quick: true, attack: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	result := measured.(abuseResult)
	if want := len((&arena{}).floods()); len(result.Floods) != want {
		t.Errorf("%d floods of %d", len(result.Floods), want)
	}
	refused := 0
	for _, f := range result.Floods {
		for code, n := range f.Refused {
			refused += n
			if strings.HasPrefix(code, "500") {
				t.Errorf("%s: %d answers %s", f.Flood, n, code)
			}
		}
		if f.Tried == 0 || f.During.Sends == 0 || f.Resume[1] == 0 || f.Live != int64(result.Honest) {
			t.Errorf("%+v", f)
		}
		if cells := strings.Count(f.row(result.Honest), " | "); cells != strings.Count(tableHead, " | ") {
			t.Errorf("a row of %d cells: %s", cells, f.row(result.Honest))
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}

func TestRefusals(t *testing.T) {
	for want, err := range map[string]error{
		"429 rate_limited":        &client.Problem{Status: 429, Code: "rate_limited"},
		"503 Service Unavailable": &client.Problem{Status: 503, Code: "503 Service Unavailable"},
		"close 4005":              closed(4005),
		"cut off":                 io.EOF,
	} {
		if got := refusalOf(err); got != want {
			t.Errorf("%v is %q, not %q", err, got, want)
		}
	}
}
