// Package deploy checks the files beside it, as far as that is possible without a
// container engine and a cluster.
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

// tool returns the path of a program. It skips the test on a machine without it, but
// fails it in CI if inCI, because scripts/setup.sh installs it there.
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

// environment returns the name of every variable that a node reads.
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

// Every variable that a file sets is one that a node reads.
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

// systemd accepts the unit and rates its sandbox as tight.
func TestUnit(t *testing.T) {
	t.Parallel()
	analyze := tool(t, "systemd-analyze", false)
	program, err := os.Executable() // any executable will do
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "fechatter.service")
	text := strings.Replace(read(t, "systemd/fechatter.service"), "/usr/local/bin/fechatter\nEnv", program+"\nEnv", 1)
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(what, threshold string) {
		for _, args := range [][]string{{"verify", unit}, {"security", "--offline=yes", "--threshold=" + threshold, unit}} {
			if out, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput(); err != nil {
				t.Errorf("%s: systemd-analyze %s: %v\n%s", what, args[0], err, out)
			}
		}
	}
	check("alone", "20")
	// What is added for ports below 1024, as systemd reads it: after the unit.
	if err := os.WriteFile(unit, []byte(text+"\n"+read(t, "systemd/tls.conf")), 0o600); err != nil {
		t.Fatal(err)
	}
	check("with tls.conf", "30")
}

// Everything that the image is made of exists, and it does not run as root.
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
	if strings.TrimSpace(last) != "FROM scratch" || user != "65532:65532" {
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

// An image that a build begins with is an argument, so that it can be given by digest, or
// nothing: tags move.
func TestImagesCanBePinned(t *testing.T) {
	text := read(t, "../Dockerfile")
	from := regexp.MustCompile(`(?m)^FROM (?:--platform=\S+ )?(\S+)`).FindAllStringSubmatch(text, -1)
	if len(from) != 3 {
		t.Fatalf("the Dockerfile has the stages %q", from)
	}
	for _, m := range from {
		name, isArgument := strings.CutPrefix(strings.TrimSuffix(m[1], "}"), "${")
		if m[1] != "scratch" && (!isArgument || !regexp.MustCompile(`(?m)^ARG `+name+`=\S+:\S+$`).MatchString(text)) {
			t.Errorf("FROM %s can only be changed by an edit", m[1])
		}
	}
}
