// Package deploy checks the files beside it, as far as that goes without a
// container engine and without a cluster.
package deploy

import (
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"fechatter/app"
)

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// tool is a program that this machine may not have; CI has those of
// scripts/setup.sh.
func tool(t *testing.T, name string, inCI bool) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && (!inCI || os.Getenv("CI") != "true") {
		t.Skip("not tested: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// environment is every variable that a node reads.
func environment(t *testing.T) map[string]bool {
	t.Helper()
	in, err := app.LoadConfig(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var settings map[string]any
	if err := yaml.Unmarshal([]byte(in.Config.String()), &settings); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"FECHATTER_CONFIG": true}
	for name, value := range settings {
		group, nested := value.(map[string]any)
		if !nested {
			known["FECHATTER_"+strings.ToUpper(name)] = true
		}
		for inner := range group {
			known["FECHATTER_"+strings.ToUpper(name+"_"+inner)] = true
		}
	}
	return known
}

// Whatever a file sets, a node reads.
func TestEveryVariableIsASetting(t *testing.T) {
	known, found := environment(t), 0
	name := regexp.MustCompile(`FECHATTER_[A-Z_]+`)
	check := func(file string) {
		for _, v := range name.FindAllString(read(t, file), -1) {
			if found++; !known[v] {
				t.Errorf("%s: there is no setting %s", file, v)
			}
		}
	}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(file) != ".go" {
			check(file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	check("../Dockerfile")
	check("../docs/operations.md")
	if found < 30 {
		t.Errorf("only %d variables found", found)
	}
}

// The unit is understood by systemd and shuts the node in.
func TestUnit(t *testing.T) {
	t.Parallel()
	analyze := tool(t, "systemd-analyze", false)
	program, err := os.Executable() // anything that can be executed
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "fechatter.service")
	text := strings.Replace(read(t, "systemd/fechatter.service"), "/usr/local/bin/fechatter\nEnv", program+"\nEnv", 1)
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify", unit}, {"security", "--offline=yes", "--threshold=20", unit}} {
		if out, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput(); err != nil {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
}

// What the image is made of is there, and it does not run as root.
func TestDockerfile(t *testing.T) {
	var last, user, folder string
	for line := range strings.Lines(read(t, "../Dockerfile")) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "FROM":
			last, user, folder = line, "", ""
		case "WORKDIR":
			folder = words[1]
		case "USER":
			user = words[1]
		case "COPY":
			if strings.HasPrefix(words[1], "--from") {
				continue
			}
			for _, source := range words[1 : len(words)-1] {
				if _, err := os.Stat(filepath.Join("..", source)); err != nil {
					t.Errorf("COPY: %v", err)
				}
			}
		}
	}
	if !strings.Contains(last, "distroless/static") || user != "65532:65532" {
		t.Errorf("the image is %q and runs as %q", last, user)
	}
	in, err := app.LoadConfig(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, setting := range []string{in.Config.Database, in.Config.Search} {
		_, file, _ := strings.Cut(setting, ":")
		if in := filepath.Dir(filepath.Join(folder, file)); in != "/data" {
			t.Errorf("%s is in %s, not in the volume /data", setting, in)
		}
	}
}
