package app

import (
	"strings"
	"testing"
)

const someSecret = "geheim-geheim-geheim-geheim-geheim"

// TestIssuersInTheFile: a list as people write it, whose secrets are shown to nobody.
func TestIssuersInTheFile(t *testing.T) {
	c, err := load(t, `jwt:
  - issuer: https://app.example
    audience: chat
    keys: https://app.example/.well-known/jwks.json
    name_claim: full_name
  - issuer: tests
    audience: chat
    keys: `+someSecret+`
    create: false
`)
	if err != nil || len(c.JWT) != 2 || c.JWT[0].NameClaim != "full_name" || c.JWT[1].Create == nil || *c.JWT[1].Create {
		t.Fatalf("%+v, %v", c.JWT, err)
	}
	out := c.String()
	if strings.Contains(out, "geheim") || !strings.Contains(out, "https://app.example/.well-known/jwks.json") {
		t.Errorf("it is shown as %s", out)
	}
	if c.JWT[1].Keys != someSecret {
		t.Error("showing the settings has changed them")
	}
}

func TestIssuersThatCannotWork(t *testing.T) {
	for line, want := range map[string]string{
		"jwt: [{audience: b, keys: " + someSecret + "}]":                                                                "issuer is required",
		"jwt: [{issuer: a, keys: " + someSecret + "}]":                                                                  "audience is required",
		"jwt: [{issuer: a, audience: b}]":                                                                               "keys or keys_file",
		"jwt: [{issuer: a, audience: b, keys: " + someSecret + ", keys_file: x}]":                                       "keys or keys_file",
		"jwt: [{issuer: a, audience: b, keys: short}]":                                                                  "at least 32 bytes",
		"jwt: [{issuer: a, audience: b, keys: \"http://app.example/jwks\"}]":                                            "https",
		"jwt: [{issuer: a, audience: b, secret: " + someSecret + "}]":                                                   "not a list of issuers",
		"jwt: [{issuer: a, audience: b, keys: " + someSecret + "}, {issuer: a, audience: c, keys: " + someSecret + "}]": "twice",
	} {
		_, err := load(t, line+"\n")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
	if _, err := load(t, "jwt: [{issuer: a, audience: b, keys: \"http://localhost:3000/jwks\"}]\n"); err != nil {
		t.Error(err)
	}
}
