package deploy

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"
	"go.yaml.in/yaml/v3"
)

const patience = time.Minute

// natsSettings returns the settings of the composition's NATS server and of the chart's.
func natsSettings(t *testing.T) map[string]string {
	t.Helper()
	_, text, found := strings.Cut(read(t, chart+"/templates/parts.yaml"), "nats.conf: |\n")
	inner, _, ended := strings.Cut(text, "{{- end }}")
	if !found || !ended {
		t.Fatal("the chart has no nats.conf")
	}
	return map[string]string{"compose": read(t, "compose/nats.conf"), "chart": inner}
}

// startNats runs a NATS server with settings on a free port.
func startNats(t *testing.T, settings string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	opts, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatal(err)
	}
	opts.Host, opts.Port, opts.NoSigs = "127.0.0.1", server.RANDOM_PORT, true
	s, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(patience) {
		t.Fatal("nats is not ready")
	}
	return s.Addr().String()
}

// The shipped NATS servers let nobody in without the password, whatever it is made of, and nobody
// use anything but Fechatter's subjects.
func TestNatsWantsAPassword(t *testing.T) {
	for name, settings := range natsSettings(t) {
		for _, password := range []string{"letters", "a1b2c3", "e12", "x0123456789abcdef0123456789abcdef"} {
			t.Run(name+" "+password, func(t *testing.T) {
				t.Setenv("NATS_PASSWORD", password)
				address := startNats(t, settings)
				for _, user := range []string{"", "fechatter@", "fechatter:wrong@", "other:" + password + "@"} {
					if c, err := nats.Connect("nats://" + user + address); !errors.Is(err, nats.ErrAuthorization) {
						t.Errorf("%q got in: %v, %v", user, c, err)
					}
				}
				refused := make(chan error, 8)
				c, err := nats.Connect("nats://fechatter:"+password+"@"+address,
					nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				sub, err := c.SubscribeSync("fechatter.>")
				if err != nil || c.Publish("fechatter.chat.x", []byte("hello")) != nil {
					t.Fatal(err)
				}
				if m, err := sub.NextMsg(patience); err != nil || string(m.Data) != "hello" {
					t.Errorf("a node hears %v, %v", m, err)
				}
				if _, err := c.SubscribeSync(">"); err != nil {
					t.Fatal(err)
				}
				if err := <-refused; !errors.Is(err, nats.ErrPermissionViolation) {
					t.Errorf("other subjects: %v", err)
				}
			})
		}
	}
}

// redisCommands returns the commands of the composition's Redis and of the chart's.
func redisCommands(t *testing.T) map[string][]string {
	t.Helper()
	command := regexp.MustCompile(`(?m)^ +command: (\[sh, -c, '.*redis-server.*\])$`).FindStringSubmatch(read(t, chart+"/templates/parts.yaml"))
	if command == nil {
		t.Fatal("the chart has no command of redis-server")
	}
	var words []string
	if err := yaml.Unmarshal([]byte(command[1]), &words); err != nil {
		t.Fatal(err)
	}
	return map[string][]string{"compose": compose(t).Services["redis"].Command, "chart": words}
}

// The shipped Redis servers obey nobody without the password, and no list of processes shows it.
func TestRedisWantsAPassword(t *testing.T) {
	tool(t, "redis-server", true)
	for name, words := range redisCommands(t) {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			address := l.Addr().String()
			_, port, _ := net.SplitHostPort(address)
			_ = l.Close()
			script := strings.ReplaceAll(words[2], "$$", "$") // as compose reads it
			if !strings.Contains(script, "| exec redis-server -") {
				t.Fatalf("the command is %q", script)
			}
			script = strings.Replace(script, "| exec redis-server -", "| exec redis-server --bind 127.0.0.1 --port "+port+" -", 1)
			cmd := exec.Command(words[0], words[1], script)
			cmd.Env, cmd.Dir = append(os.Environ(), "REDIS_PASSWORD=s3cret"), t.TempDir()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			})
			known := redis.NewClient(&redis.Options{Addr: address, Password: "s3cret"})
			defer known.Close()
			tick, deadline := time.NewTicker(5*time.Millisecond), time.Now().Add(patience)
			defer tick.Stop()
			for ; known.Ping(t.Context()).Err() != nil; <-tick.C {
				if time.Now().After(deadline) {
					t.Fatalf("a node does not get in: %v", known.Ping(t.Context()).Err())
				}
			}
			for _, password := range []string{"", "wrong"} {
				stranger := redis.NewClient(&redis.Options{Addr: address, Password: password})
				defer stranger.Close()
				if err := stranger.Ping(t.Context()).Err(); err == nil || !strings.Contains(err.Error(), "NOAUTH") && !strings.Contains(err.Error(), "WRONGPASS") {
					t.Errorf("with password %q: %v", password, err)
				}
			}
			if saved := known.ConfigGet(t.Context(), "save").Val(); saved["save"] != "" {
				t.Errorf("it saves to disk: %v", saved)
			}
			if shown, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/cmdline"); err == nil && strings.Contains(string(shown), "s3cret") {
				t.Errorf("the list of processes shows %q", shown)
			}
		})
	}
}

// The composition does not start without the passwords, and no default stands in for one.
func TestComposeHasNoDefaultPasswords(t *testing.T) {
	text := read(t, "compose.yaml")
	for _, name := range []string{"POSTGRES_PASSWORD", "NATS_PASSWORD", "REDIS_PASSWORD", "MEILI_MASTER_KEY", "GRAFANA_PASSWORD"} {
		uses, required := strings.Count(text, "${"+name), strings.Count(text, "${"+name+":?")
		if uses == 0 || uses != required {
			t.Errorf("%s is used %d times and required %d times", name, uses, required)
		}
		if !strings.Contains(read(t, ".env.example"), "\n"+name+"=\n") {
			t.Errorf(".env.example has a value for %s, or does not name it", name)
		}
	}
}

// parts returns the Secret of the chart's own parts, and the names of the pods' Secrets in order.
func parts(t *testing.T, list []map[string]any) (secret map[string]any, from []string) {
	t.Helper()
	for _, o := range list {
		name := o["metadata"].(map[string]any)["name"]
		if o["kind"] == "Secret" && name == "chat-parts" {
			secret = o["stringData"].(map[string]any)
		}
		if o["kind"] == "Deployment" && name == "chat" {
			data, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`"secretRef":{"name":"([^"]+)"}`).FindAllStringSubmatch(string(data), -1) {
				from = append(from, m[1])
			}
		}
	}
	return secret, from
}

// The chart draws long passwords, the same wherever they are needed, and others each time.
func TestChartDrawsPasswords(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 2 {
		secret, from := parts(t, renderBy(t, nil, "secrets.FECHATTER_DATABASE=postgres://u:p@db/chat"))
		for part, address := range map[string]string{"NATS": "nats://fechatter:%s@chat-nats:4222", "REDIS": "redis://:%s@chat-redis:6379"} {
			password, _ := secret[part+"_PASSWORD"].(string)
			setting := map[string]string{"NATS": "FECHATTER_NATS", "REDIS": "FECHATTER_PRESENCE"}[part]
			if !regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{31}$`).MatchString(password) || seen[password] {
				t.Errorf("the password of %s is %q", part, password)
			}
			if want := strings.Replace(address, "%s", password, 1); secret[setting] != want {
				t.Errorf("%s is %q, want %q", setting, secret[setting], want)
			}
			seen[password] = true
		}
		if strings.Join(from, " ") != "chat-parts chat" {
			t.Errorf("a node reads the Secrets %v: one's own addresses must come last", from)
		}
	}
	secret, from := parts(t, renderBy(t, nil, "secrets.FECHATTER_DATABASE=postgres://u:p@db/chat", "nats.enabled=false", "redis.enabled=false",
		"secrets.FECHATTER_NATS=nats://n:4222", "secrets.FECHATTER_PRESENCE=redis://r:6379"))
	if secret != nil || strings.Join(from, " ") != "chat" {
		t.Errorf("without its own parts: %v, %v", secret, from)
	}
}

// An upgrade keeps the passwords that the release has: helm asks the cluster for them.
func TestChartKeepsItsPasswords(t *testing.T) {
	t.Parallel()
	data := map[string]string{}
	for name, value := range map[string]string{"NATS_PASSWORD": "natsAsBefore", "REDIS_PASSWORD": "redisAsBefore"} {
		data[name] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	cluster := httptest.NewServer(fakeCluster(t, data))
	defer cluster.Close()
	list := renderBy(t, []string{"--dry-run=server", "--kube-apiserver", cluster.URL, "--disable-openapi-validation"}, "secrets.FECHATTER_DATABASE=postgres://u:p@db/chat")
	secret, _ := parts(t, list)
	if secret["NATS_PASSWORD"] != "natsAsBefore" || secret["REDIS_PASSWORD"] != "redisAsBefore" || secret["FECHATTER_NATS"] != "nats://fechatter:natsAsBefore@chat-nats:4222" {
		t.Errorf("after an upgrade: %v", secret)
	}
}

// fakeCluster answers as much of the Kubernetes API as helm asks for: it knows the kinds of the
// chart, and has one Secret.
func fakeCluster(t *testing.T, data map[string]string) http.Handler {
	mux := http.NewServeMux()
	answer := func(path string, v any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(v); err != nil {
				t.Error(err)
			}
		})
	}
	var groups []any
	for version, kinds := range map[string][]string{
		"v1": {"Secret", "ConfigMap", "Service"}, "apps/v1": {"Deployment"},
		"networking.k8s.io/v1": {"NetworkPolicy"}, "policy/v1": {"PodDisruptionBudget"},
	} {
		var resources []any
		for _, kind := range kinds {
			resources = append(resources, map[string]any{"name": strings.ToLower(kind) + "s", "namespaced": true, "kind": kind, "verbs": []string{"get"}})
		}
		path := "/api/" + version
		if group, number, named := strings.Cut(version, "/"); named {
			path = "/apis/" + version
			served := map[string]any{"groupVersion": version, "version": number}
			groups = append(groups, map[string]any{"name": group, "versions": []any{served}, "preferredVersion": served})
		}
		answer(path, map[string]any{"kind": "APIResourceList", "groupVersion": version, "resources": resources})
	}
	answer("/version", map[string]any{"major": "1", "minor": "33", "gitVersion": "v1.33.0"})
	answer("/api", map[string]any{"kind": "APIVersions", "versions": []string{"v1"}})
	answer("/apis", map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
	answer("/api/v1/namespaces/default/secrets/chat-parts", map[string]any{
		"kind": "Secret", "apiVersion": "v1", "data": data,
		"metadata": map[string]any{"name": "chat-parts", "namespace": "default",
			"labels":      map[string]string{"app.kubernetes.io/managed-by": "Helm"},
			"annotations": map[string]string{"meta.helm.sh/release-name": "chat", "meta.helm.sh/release-namespace": "default"}},
	})
	return mux
}
