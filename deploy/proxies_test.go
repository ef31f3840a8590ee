package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"fechatter/app"
	"fechatter/conform/client"
)

// example is one of the proxies that operators are shown. Its file names this machine's
// ports 8080, 8081 and 8082, or, of Caddy, a public name.
type example struct {
	program, file string
	run           func(config, dir string) []string // arguments
	change        func(text, listen string) string
}

func examples() []example {
	return []example{
		{program: "nginx", file: "nginx.conf",
			run: func(config, dir string) []string {
				return []string{"-c", config, "-p", dir, "-e", "stderr", "-g", "daemon off; error_log stderr; pid " + dir + "/pid;"}
			},
			change: func(text, listen string) string {
				var paths strings.Builder
				for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
					paths.WriteString("  " + kind + "_temp_path " + kind + ";\n")
				}
				return strings.Replace(strings.Replace(text, "127.0.0.1:8080", listen, 1), "http {\n", "http {\n"+paths.String(), 1)
			}},
		{program: "haproxy", file: "haproxy.cfg",
			run:    func(config, _ string) []string { return []string{"-db", "-f", config} },
			change: func(text, listen string) string { return strings.Replace(text, "127.0.0.1:8080", listen, 1) }},
		{program: "caddy", file: "Caddyfile",
			run: func(config, _ string) []string {
				return []string{"run", "--config", config, "--adapter", "caddyfile"}
			},
			change: func(text, listen string) string {
				return "{\n\tadmin off\n\tgrace_period 1s\n}\n" + strings.Replace(text, "chat.example.org {", "http://"+listen+" {", 1)
			}},
	}
}

// start runs the example before a backend and returns its URL once that answers through
// it. A port may be taken by somebody else between its choice and its use.
func (e example) start(t *testing.T, backend string) string {
	t.Helper()
	program := tool(t, e.program, true)
	for range 5 {
		dir := t.TempDir()
		listen := freeAddress(t)
		text := e.change(read(t, "proxies/"+e.file), listen)
		text = strings.NewReplacer("127.0.0.1:8081", backend, "127.0.0.1:8082", backend).Replace(text)
		config := filepath.Join(dir, e.file)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), program, e.run(config, dir)...)
		cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
		if answersThrough(t, cmd, "http://"+listen) {
			return "http://" + listen
		}
	}
	t.Fatal("the proxy does not start")
	return ""
}

// answersThrough runs a proxy until the test ends, and reports whether its backend
// answers through it.
func answersThrough(t *testing.T, cmd *exec.Cmd, url string) bool {
	t.Helper()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	// A master must have the time to end its workers.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() { <-ended }) // the context of a test ends before this
	deadline := time.After(time.Minute)
	for {
		select {
		case <-ended:
			t.Logf("%s ended: %s", cmd.Path, &output)
			return false
		case <-deadline:
			t.Fatalf("%s does not answer", cmd.Path)
		case <-time.After(20 * time.Millisecond):
		}
		if status, _ := get(t, url+"/readyz", nil); status == http.StatusOK {
			return true
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// elsewhere is a client whose address is not that of the proxies, 127.0.0.1.
func elsewhere(address string) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
}

func get(t *testing.T, url string, header http.Header) (status int, body string) {
	t.Helper()
	return ask(t, somewhere, http.MethodGet, url, "", header)
}

func ask(t *testing.T, from, method, url, body string, header http.Header) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(r.Header, header)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := elsewhere(from).Do(r)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, ""
	}
	return res.StatusCode, string(data)
}

// somewhere is the address of a client for which it does not matter.
const somewhere = "127.0.0.2"

// forgeries are what a client sends that wants to be taken for another, in every header
// and encoding that a proxy might pass on.
func forgeries() map[string]http.Header {
	const forged = "198.51.100.66"
	return map[string]http.Header{
		"nothing":         {},
		"X-Forwarded-For": {"X-Forwarded-For": {forged}},
		"a chain":         {"X-Forwarded-For": {forged + ", 127.0.0.1"}},
		"a doubled chain": {"X-Forwarded-For": {forged + ", 127.0.0.1, 127.0.0.1", forged}},
		"other case":      {"x-forwarded-for": {forged}},
		"underscores":     {"X_Forwarded_For": {forged}},
		"Forwarded":       {"Forwarded": {"for=" + forged + ";proto=https"}},
		"an open quote":   {"Forwarded": {"for=" + forged + `;a="`}},
		"X-Real-IP":       {"X-Real-Ip": {forged}},
		"hop by hop":      {"Connection": {"close, X-Forwarded-For, X-Forwarded-Proto"}, "X-Forwarded-For": {forged}},
		"all":             {"X-Forwarded-For": {forged}, "Forwarded": {"for=" + forged}, "X-Real-Ip": {forged}, "X-Forwarded-Proto": {"https"}},
	}
}

// Through each example a node sees the client's own address and scheme, whatever the
// client claims, and WebSocket and SSE pass at once.
func TestProxiesBeforeANode(t *testing.T) {
	t.Parallel()
	for _, e := range examples() {
		t.Run(e.program, func(t *testing.T) {
			t.Parallel()
			node := startNode(t, "--trusted-proxies=127.0.0.1")
			front := e.start(t, node.address)
			for name, header := range forgeries() {
				node.wantAddress(t, name, front, header)
			}
			wantScheme(t, front)
			wantLive(t, front)
		})
	}
}

// The same with hops counted, where the node does not know the proxy's address.
func TestProxiesBeforeANodeThatCountsHops(t *testing.T) {
	t.Parallel()
	node := startNode(t, "--trusted-hops=1")
	for _, e := range examples() {
		t.Run(e.program, func(t *testing.T) {
			front := e.start(t, node.address)
			for name, header := range forgeries() {
				node.wantAddress(t, name, front, header)
			}
		})
	}
}

// wantScheme: a page of https://… is another origin than this plain one, and a client
// cannot talk the node out of that.
func wantScheme(t *testing.T, front string) {
	t.Helper()
	for origin, want := range map[string]int{front: http.StatusUnauthorized, strings.Replace(front, "http:", "https:", 1): http.StatusForbidden} {
		header := http.Header{"Origin": {origin}, "X-Forwarded-Proto": {"https"}, "Forwarded": {"proto=https"}}
		if status, body := ask(t, somewhere, http.MethodPost, front+"/api/v1/sessions", wrong(want), header); status != want {
			t.Errorf("from %s: %d %s, want %d", origin, status, body, want)
		}
	}
}

// wantLive: what somebody says reaches a socket and a stream that stay open.
func wantLive(t *testing.T, front string) {
	t.Helper()
	ada, bob := client.SignUp(t, front, "ada"), client.SignUp(t, front, "bob")
	id := ada.Group(bob)
	socket := bob.Fresh()
	stream := bob.Stream("")
	stream.Want("ready")
	for range 3 {
		seq := ada.Say(id, "hello")
		if got := socket.Want("message.created").Seq; got != seq {
			t.Errorf("the socket got %d, want %d", got, seq)
		}
		stream.Want("message.created")
	}
	socket.OK("ping", map[string]any{})
	stream.Close()
	_ = socket.WS.CloseNow()
}

// What a proxy passes on is what it says itself, and of the rest nothing.
func TestProxiesStripHeaders(t *testing.T) {
	t.Parallel()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(r.Header)
	}))
	t.Cleanup(echo.Close)
	for _, e := range examples() {
		t.Run(e.program, func(t *testing.T) {
			front := e.start(t, echo.Listener.Addr().String())
			host := strings.TrimPrefix(front, "http://")
			for name, header := range forgeries() {
				header = header.Clone()
				header.Set("X-Forwarded-Host", "evil.example")
				_, body := get(t, front+"/", header)
				var got http.Header
				if err := json.Unmarshal([]byte(body), &got); err != nil {
					t.Fatalf("%v in %q", err, body)
				}
				own := map[string]string{"X-Forwarded-For": somewhere, "X-Forwarded-Proto": "http", "X-Forwarded-Host": host, "Forwarded": "", "X-Real-Ip": ""}
				for field, want := range own {
					if strings.Join(got[field], "|") != want {
						t.Errorf("%s: the node gets %s %q, want %q", name, field, got[field], want)
					}
				}
			}
		})
	}
}

// watchedNode is a node whose security log is read.
type watchedNode struct {
	address string
	asked   int // by the test's goroutine
	mu      sync.Mutex
	log     bytes.Buffer
}

func (n *watchedNode) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.log.Write(p)
}

func startNode(t *testing.T, args ...string) *watchedNode {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a whole node")
	}
	dir := t.TempDir()
	in, err := app.LoadConfig(append(args, "--database=sqlite:"+dir+"/chat.db", "--search=bleve:"+dir+"/search", "--listen=127.0.0.1:0",
		"--admin-listen=", "--drain-delay=0s", "--registration=open", "--limits-logins-per-ip-per-minute=0", "--limits-signups-per-ip-per-minute=0"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	n := &watchedNode{}
	running, err := app.Open(t.Context(), in.Config, "test", slog.New(slog.NewJSONHandler(n, &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		t.Fatal(err)
	}
	n.address = strings.TrimPrefix(running.URL(), "http://")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- running.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the node ended with %v", err)
		}
	})
	return n
}

// wrong is a log-in that fails, each under another name: one name costs a growing wait.
func wrong(n int) string { return fmt.Sprintf(`{"username":"nobody%d","password":"a wrong one"}`, n) }

// wantAddress: a wrong password that comes through the proxy is noted with an address.
// The log samples what comes from one address, so each forgery has one of its own.
func (n *watchedNode) wantAddress(t *testing.T, name, front string, header http.Header) {
	t.Helper()
	n.asked++
	want := fmt.Sprintf("127.0.%d.%d", 1+n.asked/200, 1+n.asked%200)
	n.mu.Lock()
	from := n.log.Len()
	n.mu.Unlock()
	status, body := ask(t, want, http.MethodPost, front+"/api/v1/sessions", wrong(n.asked), header)
	if status != http.StatusUnauthorized {
		t.Errorf("%s: %d %s", name, status, body)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for line := range bytes.Lines(n.log.Bytes()[from:]) {
		var event struct{ Event, Address string }
		if err := json.Unmarshal(line, &event); err != nil {
			t.Fatal(err)
		}
		if event.Event != "login.failed" || event.Address != want {
			t.Errorf("%s: the node noted %s from %s, want %s", name, event.Event, event.Address, want)
		}
	}
	if n.log.Len() == from {
		t.Errorf("%s: the node noted nothing", name)
	}
}

// Every example replaces or removes each header by which a client could claim to be
// another, and keeps quiet connections for longer than the 25 s between heartbeats.
func TestProxiesByTheirText(t *testing.T) {
	for file, wants := range map[string][]string{
		"proxies/nginx.conf": {`proxy_set_header X-Forwarded-For \$remote_addr;`, `proxy_set_header X-Forwarded-Proto \$scheme;`,
			`proxy_set_header X-Forwarded-Host \$http_host;`, `proxy_set_header X-Real-IP "";`, `proxy_set_header Forwarded "";`,
			`proxy_set_header Upgrade \$http_upgrade;`, `proxy_buffering off;`, `proxy_read_timeout (?:[3-9]\d|\d{3,})s;`},
		"proxies/haproxy.cfg": {`set-header X-Forwarded-For %\[src\]`, `set-header X-Forwarded-Proto https if \{ ssl_fc \}`,
			`set-header X-Forwarded-Proto http unless \{ ssl_fc \}`, `set-header X-Forwarded-Host %\[req.hdr\(Host\)\]`,
			`del-header X-Real-IP`, `del-header Forwarded`, `timeout client (?:[3-9]\d|\d{3,})s`, `timeout server (?:[3-9]\d|\d{3,})s`, `timeout tunnel (?:[3-9]\d|\d{3,})s`},
		"proxies/Caddyfile": {`header_up X-Forwarded-For \{remote_host\}`, `header_up X-Forwarded-Proto \{scheme\}`, `header_up X-Forwarded-Host \{hostport\}`,
			`header_up -X-Real-IP`, `header_up -Forwarded`, `flush_interval -1`, `read_timeout (?:[3-9]\d|\d{3,})s`},
	} {
		for _, want := range append(wants, "/readyz|proxy_next_upstream") {
			if !regexp.MustCompile(`(?m)^\s*[^#\n]*` + "(?:" + want + ")").MatchString(read(t, file)) {
				t.Errorf("%s has no line %s", file, want)
			}
		}
	}
	own, composed := read(t, "proxies/nginx.conf"), read(t, "compose/nginx.conf")
	own = strings.NewReplacer("127.0.0.1:8081", "node1:8080", "127.0.0.1:8082", "node2:8080", "127.0.0.1:8080;", "8080;").Replace(own[strings.Index(own, "events {}"):])
	if !strings.HasSuffix(composed, own) {
		t.Error("compose/nginx.conf is not proxies/nginx.conf with the containers' names")
	}
}

// Traefik's example, which no package can run here: it trusts nobody, and removes what
// Traefik would pass on. Unknown keys are errors.
func TestTraefikByItsText(t *testing.T) {
	var static struct {
		EntryPoints map[string]struct {
			Address          string
			ForwardedHeaders struct {
				Insecure   *bool
				TrustedIPs []string `yaml:"trustedIPs"`
			} `yaml:"forwardedHeaders"`
			Transport struct {
				RespondingTimeouts struct {
					ReadTimeout  time.Duration `yaml:"readTimeout"`
					WriteTimeout time.Duration `yaml:"writeTimeout"`
					IdleTimeout  time.Duration `yaml:"idleTimeout"`
				} `yaml:"respondingTimeouts"`
			}
		} `yaml:"entryPoints"`
		Providers struct{ File struct{ Filename string } }
	}
	decode(t, "proxies/traefik.yml", &static)
	people, there := static.EntryPoints["people"]
	if f := people.ForwardedHeaders; !there || f.Insecure == nil || *f.Insecure || len(f.TrustedIPs) > 0 {
		t.Errorf("the entry point believes clients: %+v", people)
	}
	if idle := people.Transport.RespondingTimeouts.IdleTimeout; idle < 30*time.Second {
		t.Errorf("quiet connections end after %s", idle)
	}
	if static.Providers.File.Filename != "deploy/proxies/traefik-routes.yml" {
		t.Errorf("its routes are in %q", static.Providers.File.Filename)
	}
	var routes struct {
		HTTP struct {
			Routers map[string]struct {
				EntryPoints []string `yaml:"entryPoints"`
				Rule        string
				Middlewares []string
				Service     string
			}
			Middlewares map[string]struct {
				Headers struct {
					CustomRequestHeaders map[string]string `yaml:"customRequestHeaders"`
				}
			}
			Services map[string]struct {
				LoadBalancer struct {
					Servers            []struct{ URL string }
					PassHostHeader     bool                                     `yaml:"passHostHeader"`
					HealthCheck        struct{ Path, Interval, Timeout string } `yaml:"healthCheck"`
					ResponseForwarding struct {
						FlushInterval string `yaml:"flushInterval"`
					} `yaml:"responseForwarding"`
				} `yaml:"loadBalancer"`
			}
		}
	}
	decode(t, "proxies/traefik-routes.yml", &routes)
	chat := routes.HTTP.Routers["chat"]
	strip := routes.HTTP.Middlewares["strip"].Headers.CustomRequestHeaders
	for _, header := range []string{"Forwarded", "X-Real-Ip"} {
		if v, there := strip[header]; !there || v != "" || !slices.Contains(chat.Middlewares, "strip") {
			t.Errorf("%s is passed on", header)
		}
	}
	nodes := routes.HTTP.Services[chat.Service].LoadBalancer
	if len(nodes.Servers) != 2 || !nodes.PassHostHeader || nodes.HealthCheck.Path != "/readyz" {
		t.Errorf("the nodes are %+v", nodes)
	}
}

func decode(t *testing.T, file string, into any) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(read(t, file)))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(fmt.Errorf("%s: %w", file, err))
	}
}
