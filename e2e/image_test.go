package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestImageAsAProcess runs what the Dockerfile tells a container to run, with its
// environment and its health check; only addresses and the root folder are the test's.
func TestImageAsAProcess(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs the program")
	}
	text := strings.ReplaceAll(read(t, "../Dockerfile"), "\\\n", " ")
	image := text[strings.LastIndex(text, "FROM "):]
	root := t.TempDir()
	folder := regexp.MustCompile(`(?m)^WORKDIR (\S+)$`).FindStringSubmatch(image)
	if folder == nil || !strings.Contains(image, "VOLUME /data") {
		t.Fatalf("no WORKDIR or no volume in %s", image)
	}
	here := strings.NewReplacer("0.0.0.0:8080", "0.0.0.0:"+freePort(t))
	if !strings.Contains(image, "\nEXPOSE 8080\n") || strings.Contains(image, "9090") {
		t.Error("the image exposes more than the public listener")
	}
	env := append(os.Environ(), "FECHATTER_DRAIN_DELAY=0s", "FECHATTER_ADMIN_LISTEN=127.0.0.1:0")
	for _, v := range regexp.MustCompile(`FECHATTER_\w+=\S+`).FindAllString(image, -1) {
		env = append(env, here.Replace(v))
	}
	run := func(instruction string) *exec.Cmd {
		line := regexp.MustCompile(`(?m)^` + instruction + `[^\[]*(\[.*\])`).FindStringSubmatch(image)
		if line == nil {
			t.Fatalf("no %s in %s", instruction, image)
		}
		var args []string
		if err := json.Unmarshal([]byte(line[1]), &args); err != nil || args[0] != "/fechatter" {
			t.Fatalf("%s: %v, %v", instruction, args, err)
		}
		cmd := exec.CommandContext(t.Context(), program, args[1:]...)
		cmd.Env, cmd.Dir = env, filepath.Join(root, folder[1])
		return cmd
	}
	if out, err := run("HEALTHCHECK").CombinedOutput(); err == nil {
		t.Errorf("healthy before it runs: %s", out)
	}
	n := launch(t, run("ENTRYPOINT"))
	eventually(t, "healthy", func() bool { return run("HEALTHCHECK").Run() == nil })
	if _, err := os.Stat(filepath.Join(root, "data", "fechatter.db")); err != nil {
		t.Errorf("the data is not in the volume: %v", err)
	}
	if left, err := os.ReadDir(root); err != nil || len(left) != 1 {
		t.Errorf("written beside the volume: %v, %v", left, err)
	}
	if err := n.stop(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	address := freeAddress(t)
	return address[strings.LastIndex(address, ":")+1:]
}
