package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fechatter/chat"
)

const someProviders = `public_url: https://chat.example
oidc:
  - id: company
    name: The Company
    issuer: https://id.example/realms/company
    client_id: fechatter
    client_secret: geheim
    scopes: [groups]
    link_by: verified_email
    allowed_domains: [example.org]
    groups: [chat-admins]
  - id: other
    issuer: https://other.example
    client_id: fechatter
    create: false
`

func TestProvidersInTheSettings(t *testing.T) {
	no := false
	want := Providers{
		{ID: "company", Name: "The Company", Issuer: "https://id.example/realms/company", ClientID: "fechatter", ClientSecret: "geheim", Scopes: []string{"groups"},
			LinkBy: linkByEmail, AllowedDomains: []string{"example.org"}, Groups: []string{"chat-admins"}, GroupsClaim: "groups"},
		{ID: "other", Name: "other", Issuer: "https://other.example", ClientID: "fechatter", LinkBy: linkByNone, Create: &no},
	}
	c, err := load(t, someProviders)
	if diff := cmp.Diff(want, c.OIDC); err != nil || diff != "" {
		t.Errorf("file: %v %s", err, diff)
	}
	if text := c.String(); strings.Contains(text, "geheim") || !strings.Contains(text, "The Company") {
		t.Errorf("the settings are shown as %s", text)
	}
	again, err := load(t, strings.ReplaceAll(c.String(), mask, "geheim"))
	if diff := cmp.Diff(want, again.OIDC); err != nil || diff != "" {
		t.Errorf("what is shown, as a file: %v %s", err, diff)
	}
	const text = `[{"id": "other", "issuer": "https://other.example", "client_id": "fechatter", "create": false}]`
	c, err = load(t, "", "--public-url=https://chat.example", "--oidc="+text)
	if diff := cmp.Diff(want[1:], c.OIDC); err != nil || diff != "" {
		t.Errorf("flag: %v %s", err, diff)
	}
	t.Setenv("FECHATTER_OIDC", text)
	c, err = load(t, "public_url: https://chat.example")
	if diff := cmp.Diff(want[1:], c.OIDC); err != nil || diff != "" {
		t.Errorf("variable: %v %s", err, diff)
	}
	rules := want.rules()
	if diff := cmp.Diff(map[string]chat.ProviderRules{
		"company": {LinkByEmail: true, AllowedDomains: []string{"example.org"}, Groups: []string{"chat-admins"}, Create: true}, "other": {},
	}, rules); diff != "" {
		t.Error(diff)
	}
}

func TestBadProviders(t *testing.T) {
	good := `id: a, issuer: "https://id.example", client_id: c`
	for text, want := range map[string]string{
		"[{" + good + "}]": "",
		"[{" + good + ", client_secret: geheim, x: 1}]": "not a list of providers",
		"nonsense: geheim":                                               "not a list of providers",
		"[{" + good + "}, {" + good + "}]":                               "twice",
		`[{id: A, issuer: "https://id.example", client_id: c}]`:          "id must be",
		`[{id: a/b, issuer: "https://id.example", client_id: c}]`:        "id must be",
		`[{id: a, issuer: "http://id.example", client_id: c}]`:           "https",
		`[{id: a, issuer: "http://127.0.0.1:9000", client_id: c}]`:       "",
		`[{id: a, issuer: id.example, client_id: c}]`:                    "issuer must be",
		`[{id: a, issuer: "https://id.example"}]`:                        "client_id",
		"[{" + good + ", link_by: email}]":                               "link_by",
		"[{" + good + ", allowed_domains: ['@example.org']}]":            "allowed_domains",
		"[{" + good + ", client_secret: geheim, client_secret_file: f}]": "exclude",
	} {
		_, err := load(t, "", "--public-url=https://chat.example", "--oidc="+text)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim")) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, args := range [][]string{
		{"--oidc=[{" + good + "}]"}, {"--password-login=off"}, {"--password-login=no"}, {"--require-second-factor=all"},
	} {
		if _, err := load(t, "", args...); err == nil {
			t.Errorf("%v are good", args)
		}
	}
	if _, err := load(t, "", "--public-url=https://chat.example", "--password-login=off", "--oidc=[{"+good+"}]"); err != nil {
		t.Errorf("passwords off: %v", err)
	}
}

func TestSecretOfAProviderInAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	c := Config{PublicURL: "https://chat.example", OIDC: Providers{{ID: "a", Issuer: "https://id.example", ClientID: "c", ClientSecretFile: file}}}
	if _, err := openProviders(c, nil); err == nil {
		t.Error("a file that is not there is read")
	}
	if err := os.WriteFile(file, []byte("geheim\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := openProviders(c, nil)
	if err != nil || len(p.List()) != 1 {
		t.Errorf("got %v, %v", p, err)
	}
}
