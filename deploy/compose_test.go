package deploy

import (
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"fechatter/app"
)

// service is the part of the compose specification that compose.yaml uses; any other
// field is an error.
type service struct {
	Image       string
	Build       struct{ Context, Dockerfile string }
	Command     []string
	Environment map[string]string
	DependsOn   dependencies `yaml:"depends_on"`
	Networks    attachments
	Ports       []string
	Volumes     []string
	Healthcheck struct {
		Test              []string
		Interval, Timeout string
		Retries           int
	}
	Restart     string
	StopGrace   string   `yaml:"stop_grace_period"`
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	ShmSize     string   `yaml:"shm_size"`
}

// dependencies maps names to conditions; in the file it may be a list of names.
type dependencies map[string]string

// UnmarshalYAML accepts both forms.
func (d *dependencies) UnmarshalYAML(n *yaml.Node) error {
	*d = dependencies{}
	var names []string
	if err := n.Decode(&names); err == nil {
		for _, name := range names {
			(*d)[name] = "service_started"
		}
		return nil
	}
	var conditions map[string]struct{ Condition string }
	err := n.Decode(&conditions)
	for name, c := range conditions {
		(*d)[name] = c.Condition
	}
	return err
}

// attachments maps networks to addresses; in the file it may be a list of networks.
type attachments map[string]string

// UnmarshalYAML accepts both forms.
func (a *attachments) UnmarshalYAML(n *yaml.Node) error {
	*a = attachments{}
	var names []string
	if err := n.Decode(&names); err == nil {
		for _, name := range names {
			(*a)[name] = ""
		}
		return nil
	}
	var addresses map[string]struct {
		Address string `yaml:"ipv4_address"`
	}
	err := n.Decode(&addresses)
	for name, to := range addresses {
		(*a)[name] = to.Address
	}
	return err
}

type composition struct {
	Name     string
	Node     yaml.Node `yaml:"x-node"`
	Services map[string]service
	Networks map[string]struct {
		IPAM struct{ Config []struct{ Subnet string } }
	}
	Volumes map[string]struct{}
}

func compose(t *testing.T) (c composition) {
	t.Helper()
	interpolation := regexp.MustCompile(`\$\{(\w+)(:[-?])?([^}]*)\}`)
	example := read(t, ".env.example")
	text := interpolation.ReplaceAllStringFunc(read(t, "compose.yaml"), func(s string) string {
		m := interpolation.FindStringSubmatch(s)
		if !strings.Contains(example, m[1]+"=") {
			t.Errorf(".env.example does not name %s", m[1])
		}
		if m[2] == ":-" {
			return m[3]
		}
		return "secret"
	})
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

// Everything that a service refers to exists.
func TestComposeHoldsTogether(t *testing.T) {
	c := compose(t)
	for name, s := range c.Services {
		for other, condition := range s.DependsOn {
			to, there := c.Services[other]
			if !there || condition == "service_healthy" && len(to.Healthcheck.Test) == 0 {
				t.Errorf("%s waits for %s, %s", name, other, condition)
			}
		}
		for network := range s.Networks {
			if _, there := c.Networks[network]; !there {
				t.Errorf("%s: there is no network %s", name, network)
			}
		}
		for _, volume := range s.Volumes {
			from, _, _ := strings.Cut(volume, ":")
			_, named := c.Volumes[from]
			if _, err := os.Stat(from); !named && (err != nil || !strings.HasPrefix(from, "./")) {
				t.Errorf("%s: there is no volume and no file %s", name, from)
			}
		}
		if s.Image == "" || !strings.Contains(s.Image, ":") && s.Build.Context == "" || s.Restart != "unless-stopped" {
			t.Errorf("%s: image %q without a version, or restart %q", name, s.Image, s.Restart)
		}
	}
}

// A node that is recreated for an upgrade must come back at the same address: nginx
// resolves names only once, when it starts.
func TestComposedNodesKeepTheirAddresses(t *testing.T) {
	c := compose(t)
	front := netip.MustParsePrefix(c.Networks["front"].IPAM.Config[0].Subnet)
	used := map[netip.Addr]bool{}
	for _, name := range []string{"proxy", "node1", "node2"} {
		at, err := netip.ParseAddr(c.Services[name].Networks["front"])
		if err != nil || !front.Contains(at) || used[at] {
			t.Errorf("%s is at %q of %s", name, c.Services[name].Networks["front"], front)
		}
		used[at] = true
	}
}

// The nodes accept their settings, and every address in them is a service.
func TestComposedNodesAreConfigured(t *testing.T) {
	c := compose(t)
	for _, name := range []string{"node1", "node2"} {
		node := c.Services[name]
		for key, value := range node.Environment {
			t.Setenv(key, value)
		}
		in, err := app.LoadConfig(nil, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range []string{in.Config.Database, in.Config.Nats, in.Config.Presence, in.Config.Search} {
			found := slices.ContainsFunc(slices.Collect(maps.Keys(c.Services)), func(s string) bool {
				return strings.Contains(address, "@"+s+":") || strings.Contains(address, "//"+s+":")
			})
			if !found {
				t.Errorf("%s: no service at %s", name, address)
			}
		}
		if proxies := in.Config.TrustedProxies; len(proxies) != 1 || proxies[0] != c.Services["proxy"].Networks["front"] || in.Config.TrustedHops != 0 {
			t.Errorf("%s trusts %v", name, proxies)
		}
	}
	for _, file := range []string{"compose/nginx.conf", "prometheus/prometheus.yml"} {
		text := read(t, file)
		if !strings.Contains(text, "node1:") || !strings.Contains(text, "node2:") {
			t.Errorf("%s does not name both nodes", filepath.Base(file))
		}
	}
}

// The node that serves TLS itself accepts its settings, and is reached on the ports on which
// its authority checks the name.
func TestComposedNodeServesTLS(t *testing.T) {
	text := strings.NewReplacer("${DOMAIN:?such as DOMAIN=chat.example.org}", "chat.example.org", "${EMAIL:-}", "").Replace(read(t, "compose/tls.yaml"))
	var c composition
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	node := c.Services["node"]
	for key, value := range node.Environment {
		t.Setenv(key, value)
	}
	in, err := app.LoadConfig(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	port := func(address string) string { return address[strings.LastIndex(address, ":")+1:] }
	if want := []string{"443:" + port(in.Config.Listen), "80:" + port(in.Config.RedirectListen)}; !slices.Equal(node.Ports, want) {
		t.Errorf("ports %v, want %v", node.Ports, want)
	}
	if in.Config.TLS != "acme" || !slices.Equal(node.Volumes, []string{"data:/data"}) || len(c.Volumes) != 1 {
		t.Errorf("tls: %s, volumes %v of %v", in.Config.TLS, node.Volumes, c.Volumes)
	}
	if _, err := os.Stat(filepath.Join("compose", node.Build.Context, "Dockerfile")); err != nil {
		t.Error(err)
	}
}
