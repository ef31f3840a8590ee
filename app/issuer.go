package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"fechatter/signin"
)

// Issuer is one application in the settings whose tokens are believed.
type Issuer struct {
	Issuer        string `yaml:"issuer"`
	Audience      string `yaml:"audience"`
	Keys          string `yaml:"keys,omitempty"`      // address of a JWKS, PEM, or a secret
	KeysFile      string `yaml:"keys_file,omitempty"` // instead, a file with PEM or a secret
	SubjectClaim  string `yaml:"subject_claim,omitempty"`
	NameClaim     string `yaml:"name_claim,omitempty"`
	UsernameClaim string `yaml:"username_claim,omitempty"`
	Create        *bool  `yaml:"create,omitempty"` // users for whom nobody is there yet; nil: yes
}

// Issuers is a setting that is a list.
type Issuers []Issuer

// Decode implements kong.MapperValue: a flag and a variable hold YAML, of which JSON is a part.
func (l *Issuers) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("issuers", &text); err != nil {
		return err
	}
	list := Issuers{}
	d := yaml.NewDecoder(bytes.NewBufferString(text))
	d.KnownFields(true)
	if err := d.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
		// The error may quote a secret, if that is where the text cannot be read.
		return errors.New("jwt: this is not a list of issuers, each with names that docs/operations.md lists")
	}
	*l = list
	return nil
}

// masked returns the list without secrets: public keys and addresses may be seen.
func (l Issuers) masked() Issuers {
	list := slices.Clone(l)
	for i := range list {
		if k := list[i].Keys; k != "" && !strings.HasPrefix(k, "http") && !strings.Contains(k, "-----BEGIN ") {
			list[i].Keys = mask
		}
	}
	return list
}

func (l Issuers) validate() error {
	for _, i := range l {
		switch {
		case i.Issuer == "":
			return errors.New("jwt: issuer is required: it is what the tokens have as iss")
		case i.Audience == "":
			return fmt.Errorf("jwt: %q: audience is required: it is what the tokens have as aud", i.Issuer)
		case (i.Keys == "") == (i.KeysFile == ""):
			return fmt.Errorf("jwt: %q: give keys or keys_file", i.Issuer)
		case strings.HasPrefix(i.Keys, "http://") && !loopbackAddress(i.Keys):
			return fmt.Errorf("jwt: %q: keys must be fetched by https, unless they are on this machine", i.Issuer)
		}
	}
	if _, err := signin.NewTokens(l.withoutFiles(), http.DefaultClient, time.Now); err != nil {
		return fmt.Errorf("jwt: %w", err)
	}
	return nil
}

// withoutFiles returns those that can be judged without reading files.
func (l Issuers) withoutFiles() (list []signin.Issuer) {
	for _, i := range l {
		if i.KeysFile == "" {
			list = append(list, i.settings(i.Keys))
		}
	}
	return list
}

func (i Issuer) settings(keys string) signin.Issuer {
	return signin.Issuer{Issuer: i.Issuer, Audience: i.Audience, Keys: keys, SubjectClaim: i.SubjectClaim,
		NameClaim: i.NameClaim, UsernameClaim: i.UsernameClaim, Create: i.Create == nil || *i.Create}
}

// openTokens returns what believes the tokens of applications, nil if there are none. It reads
// the files of keys.
func openTokens(c Config) (*signin.Tokens, error) {
	if len(c.JWT) == 0 {
		return nil, nil
	}
	var list []signin.Issuer
	for _, i := range c.JWT {
		keys := i.Keys
		if i.KeysFile != "" {
			data, err := os.ReadFile(i.KeysFile)
			if err != nil {
				return nil, fmt.Errorf("jwt: %q: keys_file: %w", i.Issuer, err)
			}
			keys = strings.TrimSpace(string(data))
		}
		list = append(list, i.settings(keys))
	}
	t, err := signin.NewTokens(list, newOutbound(c).client(), time.Now)
	if err != nil {
		return nil, fmt.Errorf("jwt: %w", err)
	}
	return t, nil
}

func loopbackAddress(address string) bool {
	_, host, _ := strings.Cut(address, "://")
	host, _, _ = strings.Cut(host, "/")
	if name, _, found := strings.Cut(host, ":"); found && !strings.HasPrefix(host, "[") {
		host = name
	}
	a, ok := prefix(strings.Trim(host, "[]"))
	return host == "localhost" || ok && a.Addr().IsLoopback()
}
