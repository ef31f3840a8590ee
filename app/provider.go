package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"fechatter/chat"
	"fechatter/server"
	"fechatter/signin"
)

// Provider is one identity provider in the settings.
type Provider struct {
	ID               string   `yaml:"id"`   // in its addresses here
	Name             string   `yaml:"name"` // on the button
	Issuer           string   `yaml:"issuer"`
	ClientID         string   `yaml:"client_id"`
	ClientSecret     string   `yaml:"client_secret,omitempty"`
	ClientSecretFile string   `yaml:"client_secret_file,omitempty"`
	Scopes           []string `yaml:"scopes,omitempty"` // besides openid, profile and email
	LinkBy           string   `yaml:"link_by"`
	AllowedDomains   []string `yaml:"allowed_domains,omitempty"`
	Groups           []string `yaml:"groups,omitempty"` // whose members are administrators
	GroupsClaim      string   `yaml:"groups_claim,omitempty"`
	Create           *bool    `yaml:"create,omitempty"` // users for whom nobody is there yet; nil: yes
}

// The values of link_by.
const linkByNone, linkByEmail = "none", "verified_email"

// Providers is a setting that is a list.
type Providers []Provider

// Decode implements kong.MapperValue: a flag and a variable hold YAML, of which JSON is a
// part.
func (p *Providers) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("providers", &text); err != nil {
		return err
	}
	list := Providers{}
	d := yaml.NewDecoder(bytes.NewBufferString(text))
	d.KnownFields(true)
	if err := d.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
		// The error may quote a secret, if that is where the text cannot be read.
		return errors.New("oidc: this is not a list of providers, each with names that docs/signin.md lists")
	}
	for i := range list {
		list[i].fill()
	}
	*p = list
	return nil
}

func (p *Provider) fill() {
	if p.Name == "" {
		p.Name = p.ID
	}
	if p.LinkBy == "" {
		p.LinkBy = linkByNone
	}
	if p.GroupsClaim == "" && len(p.Groups) > 0 {
		p.GroupsClaim = "groups"
	}
}

func (p Providers) masked() Providers {
	list := slices.Clone(p)
	for i := range list {
		if list[i].ClientSecret != "" {
			list[i].ClientSecret = mask
		}
	}
	return list
}

func (p Providers) validate(publicURL string) error {
	if len(p) > 0 && publicURL == "" {
		return errors.New("oidc: needs public_url, to which providers send people back")
	}
	seen := map[string]bool{}
	for _, of := range p {
		if seen[of.ID] || seen[of.Issuer] {
			return fmt.Errorf("oidc: %q is there twice, or its issuer is", of.ID)
		}
		seen[of.ID], seen[of.Issuer] = true, true
		if err := of.validate(); err != nil {
			return fmt.Errorf("oidc: %q: %w", of.ID, err)
		}
	}
	return nil
}

func (p Provider) validate() error {
	u, err := url.Parse(p.Issuer)
	switch {
	case !regexp.MustCompile("^[a-z0-9][a-z0-9-]{0,31}$").MatchString(p.ID):
		return errors.New("id must be 1 to 32 characters of a-z 0-9 -")
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return errors.New("issuer must be an address such as https://id.example.org/realms/company")
	case u.Scheme == "http" && !isLoopbackName(u.Hostname()):
		return errors.New("issuer must be https, unless it is on this machine")
	case p.ClientID == "":
		return errors.New("client_id is required")
	case p.ClientSecret != "" && p.ClientSecretFile != "":
		return errors.New("client_secret and client_secret_file exclude each other")
	case p.LinkBy != linkByNone && p.LinkBy != linkByEmail:
		return fmt.Errorf("link_by: %q is not none or verified_email", p.LinkBy)
	case slices.ContainsFunc(p.AllowedDomains, func(d string) bool { return hostName(d) != nil || strings.Contains(d, ":") }):
		return errors.New("allowed_domains must be names such as example.org")
	}
	return nil
}

func isLoopbackName(host string) bool {
	a, ok := prefix(host)
	return host == "localhost" || ok && a.Addr().IsLoopback()
}

// rules translates what decides about people.
func (p Providers) rules() map[string]chat.ProviderRules {
	rules := map[string]chat.ProviderRules{}
	for _, of := range p {
		rules[of.ID] = chat.ProviderRules{LinkByEmail: of.LinkBy == linkByEmail, AllowedDomains: of.AllowedDomains,
			Groups: of.Groups, Create: of.Create == nil || *of.Create}
	}
	return rules
}

// openProviders returns the providers, nil if there are none. It reads their secrets.
func openProviders(c Config, client *http.Client) (server.Providers, error) {
	if len(c.OIDC) == 0 {
		return nil, nil
	}
	var settings []signin.Settings
	for _, of := range c.OIDC {
		secret := of.ClientSecret
		if of.ClientSecretFile != "" {
			data, err := os.ReadFile(of.ClientSecretFile)
			if err != nil {
				return nil, fmt.Errorf("oidc: %q: client_secret_file: %w", of.ID, err)
			}
			secret = strings.TrimSpace(string(data))
		}
		settings = append(settings, signin.Settings{ID: of.ID, Name: of.Name, Issuer: of.Issuer, ClientID: of.ClientID, ClientSecret: secret,
			Scopes: of.Scopes, GroupsClaim: of.GroupsClaim})
	}
	return signin.NewProviders(settings, c.PublicURL, client, time.Now), nil
}
