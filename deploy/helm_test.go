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

// helm returns the helm that make lint built, or the machine's own.
func helm(t *testing.T) string {
	t.Helper()
	if built, err := filepath.Abs("../bin/helm"); err == nil {
		if _, err := os.Stat(built); err == nil {
			return built
		}
	}
	return tool(t, "helm", false)
}

// A node accepts the default values of the chart as its settings.
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
	var want app.Config // the image must not override what the chart sets
	if err := values.Settings.Decode(&want); err != nil {
		t.Fatal(err)
	}
	if c := in.Config; c.Search != want.Search || c.LogFormat != want.LogFormat || c.PublicURL != want.PublicURL || want.Search == "" {
		t.Errorf("a node of the chart has search %q, log_format %q, public_url %q; the values say %q, %q, %q",
			c.Search, c.LogFormat, c.PublicURL, want.Search, want.LogFormat, want.PublicURL)
	}
	if len(in.Config.TrustedProxies) > 0 || in.Config.TrustedHops > 0 {
		t.Errorf("by default a node of the chart trusts %v, %d hops", in.Config.TrustedProxies, in.Config.TrustedHops)
	}
	known := environment(t)
	for name := range values.Secrets {
		if !known[name] {
			t.Errorf("there is no setting %s", name)
		}
	}
}

// imageEnvironment returns what the Dockerfile sets for every node.
func imageEnvironment(t *testing.T) map[string]string {
	t.Helper()
	set := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(?:ENV|  )\s*(FECHATTER_\w+)=(\S+)`).FindAllStringSubmatch(read(t, "../Dockerfile"), -1) {
		set[m[1]] = m[2]
	}
	if len(set) < 1 {
		t.Fatalf("the image sets %v", set)
	}
	return set
}

func render(t *testing.T, sets ...string) []map[string]any {
	t.Helper()
	return renderBy(t, nil, append(sets, "secrets.FECHATTER_DATABASE=postgres://u:p@db/chat", "secrets.FECHATTER_NATS=nats://n:4222", "secrets.FECHATTER_PRESENCE=redis://r:6379")...)
}

// renderBy renders with further flags, and no other values than those of sets.
func renderBy(t *testing.T, flags []string, sets ...string) []map[string]any {
	t.Helper()
	args := append([]string{"template", "chat", chart}, flags...)
	for _, s := range sets {
		args = append(args, "--set", s)
	}
	out, err := exec.CommandContext(t.Context(), helm(t), args...).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Fatalf("helm: %v: %s", err, exit.Stderr)
	}
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

// Helm accepts the chart and renders every kind of object, in which a node has the
// time that it needs to drain.
func TestChartRenders(t *testing.T) {
	t.Parallel()
	lint := exec.CommandContext(t.Context(), helm(t), "lint", "--strict", chart, "--set", "existingSecret=there")
	if out, err := lint.CombinedOutput(); err != nil {
		t.Errorf("helm lint: %v\n%s", err, out)
	}
	kinds := map[string]map[string]any{}
	for _, o := range render(t, "autoscaling.enabled=true", "ingress.enabled=true", "serviceMonitor.enabled=true", "drain.preStopSeconds=7") {
		if name := o["metadata"].(map[string]any)["name"].(string); !strings.HasPrefix(name, "chat-nats") && !strings.HasPrefix(name, "chat-redis") {
			kinds[o["kind"].(string)] = o
		}
	}
	for _, kind := range []string{"Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy", "Secret", "ConfigMap", "Ingress", "ServiceMonitor"} {
		if kinds[kind] == nil {
			t.Errorf("no %s", kind)
		}
	}
	pod := kinds["Deployment"]["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
	if grace := pod["terminationGracePeriodSeconds"]; grace != 37 {
		t.Errorf("a pod has %v s to terminate, want 7 before SIGTERM and 30 after", grace)
	}
	if _, fixed := kinds["Deployment"]["spec"].(map[string]any)["replicas"]; fixed {
		t.Error("the deployment fixes the number of replicas despite the autoscaler")
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

// The notes after an installation say when nobody is trusted, and when anybody could be.
func TestChartNotes(t *testing.T) {
	t.Parallel()
	const nobody, anybody = "No proxy is trusted", "any pod can claim any address"
	for _, tc := range []struct {
		set  []string
		want string
	}{
		{nil, nobody},
		{[]string{"settings.trusted_hops=1"}, ""},
		{[]string{"settings.trusted_proxies={10.1.2.3}"}, ""},
		{[]string{"settings.trusted_hops=1", "networkPolicy.enabled=false"}, anybody},
		{[]string{"settings.trusted_hops=1", "networkPolicy.ingressNamespaces=null"}, anybody},
		{[]string{"settings.trusted_hops=1", "settings.trusted_proxies={10.1.2.3}", "networkPolicy.enabled=false"}, ""},
	} {
		args := []string{"install", "chat", chart, "--dry-run=client", "--set", "existingSecret=there"}
		for _, s := range tc.set {
			args = append(args, "--set", s)
		}
		out, err := exec.CommandContext(t.Context(), helm(t), args...).CombinedOutput()
		if err != nil {
			t.Fatalf("helm install: %v\n%s", err, out)
		}
		for _, note := range []string{nobody, anybody} {
			if strings.Contains(string(out), note) != (note == tc.want) {
				t.Errorf("%v: %q is in the notes, or %q is not: %s", tc.set, note, tc.want, out)
			}
		}
	}
}
