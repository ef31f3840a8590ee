package deploy

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"fechatter/app"
)

const chart = "helm/fechatter"

// helm is what make lint built, or the machine's own.
func helm(t *testing.T) string {
	t.Helper()
	if built, err := filepath.Abs("../bin/helm"); err == nil {
		if _, err := os.Stat(built); err == nil {
			return built
		}
	}
	return tool(t, "helm", false)
}

// The values that come with the chart are settings that a node accepts.
func TestChartSettings(t *testing.T) {
	var values struct {
		Settings yaml.Node
		Secrets  map[string]string
		Drain    struct {
			PreStopSeconds int `yaml:"preStopSeconds"`
			DelaySeconds   int `yaml:"delaySeconds"`
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, chart+"/values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	settings, err := yaml.Marshal(&values.Settings)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "chat.yml")
	if err := os.WriteFile(file, settings, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range imageEnvironment(t) {
		t.Setenv(name, value)
	}
	t.Setenv("FECHATTER_DATABASE", "postgres://u:p@db/chat")
	t.Setenv("FECHATTER_NATS", "nats://n:4222")
	t.Setenv("FECHATTER_PRESENCE", "redis://r:6379")
	in, err := app.LoadConfig([]string{"--config", file}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var want app.Config // what the image sets must not be above what the chart does
	if err := values.Settings.Decode(&want); err != nil {
		t.Fatal(err)
	}
	if c := in.Config; c.Search != want.Search || c.LogFormat != want.LogFormat || c.PublicURL != want.PublicURL || want.Search == "" {
		t.Errorf("a node of the chart has search %q, log_format %q, public_url %q; the values say %q, %q, %q",
			c.Search, c.LogFormat, c.PublicURL, want.Search, want.LogFormat, want.PublicURL)
	}
	known := environment(t)
	for name := range values.Secrets {
		if !known[name] {
			t.Errorf("there is no setting %s", name)
		}
	}
}

// imageEnvironment is what the Dockerfile sets for every node.
func imageEnvironment(t *testing.T) map[string]string {
	t.Helper()
	set := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(?:ENV|  )\s*(FECHATTER_\w+)=(\S+)`).FindAllStringSubmatch(read(t, "../Dockerfile"), -1) {
		set[m[1]] = m[2]
	}
	if len(set) < 2 {
		t.Fatalf("the image sets %v", set)
	}
	return set
}

func render(t *testing.T, sets ...string) []map[string]any {
	t.Helper()
	args := []string{"template", "chat", chart}
	for _, s := range append(sets, "secrets.FECHATTER_DATABASE=postgres://u:p@db/chat", "secrets.FECHATTER_NATS=nats://n:4222", "secrets.FECHATTER_PRESENCE=redis://r:6379") {
		args = append(args, "--set", s)
	}
	out, err := exec.CommandContext(t.Context(), helm(t), args...).Output()
	if err != nil {
		t.Fatalf("helm: %v", err)
	}
	var list []map[string]any
	for d := yaml.NewDecoder(bytes.NewReader(out)); ; {
		var object map[string]any
		err := d.Decode(&object)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		if object != nil {
			list = append(list, object)
		}
	}
}

// Helm takes the chart; what it makes has one name for one thing, and gives a
// node the time that it needs to leave.
func TestChartRenders(t *testing.T) {
	t.Parallel()
	lint := exec.CommandContext(t.Context(), helm(t), "lint", "--strict", chart, "--set", "existingSecret=there")
	if out, err := lint.CombinedOutput(); err != nil {
		t.Errorf("helm lint: %v\n%s", err, out)
	}
	kinds := map[string]map[string]any{}
	for _, o := range render(t, "autoscaling.enabled=true", "ingress.enabled=true", "serviceMonitor.enabled=true", "drain.preStopSeconds=7") {
		kinds[o["kind"].(string)] = o
	}
	for _, kind := range []string{"Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy", "Secret", "ConfigMap", "Ingress", "ServiceMonitor"} {
		if kinds[kind] == nil {
			t.Errorf("no %s", kind)
		}
	}
	pod := kinds["Deployment"]["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
	if grace := pod["terminationGracePeriodSeconds"]; grace != 37 {
		t.Errorf("a pod has %v s to leave, want 7 before SIGTERM and 30", grace)
	}
	if _, fixed := kinds["Deployment"]["spec"].(map[string]any)["replicas"]; fixed {
		t.Error("the deployment fixes what the autoscaler is to decide")
	}
	container, err := yaml.Marshal(pod["containers"])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"path: /readyz", "path: /livez", "seconds: 7", "readOnlyRootFilesystem: true", "allowPrivilegeEscalation: false"} {
		if !strings.Contains(string(container), want) {
			t.Errorf("the container has no %q", want)
		}
	}
}
