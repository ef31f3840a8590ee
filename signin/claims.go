package signin

import (
	"encoding/json"
	"strings"
)

// claims are those of a person, by OpenID Connect Core, section 5.1.
type claims struct {
	Email           string  `json:"email"`
	EmailVerified   truth   `json:"email_verified"`
	Username        string  `json:"preferred_username"`
	Name            string  `json:"name"`
	Session         string  `json:"sid"`
	AuthorizedParty string  `json:"azp"`
	NotBefore       float64 `json:"nbf"`
}

// truth is a boolean that some providers write as a text.
type truth bool

// UnmarshalJSON implements json.Unmarshaler.
func (t *truth) UnmarshalJSON(data []byte) error {
	*t = truth(strings.Trim(string(data), `"`) == "true")
	return nil
}

// tellsEnough reports whether nothing is missing that the provider might tell elsewhere.
func (c claims) tellsEnough() bool { return c.Email != "" && (c.Name != "" || c.Username != "") }

// complete fills in what is missing. An address comes with whether it was verified.
func (c *claims) complete(more claims) {
	if c.Email == "" {
		c.Email, c.EmailVerified = more.Email, more.EmailVerified
	}
	if c.Name == "" {
		c.Name = more.Name
	}
	if c.Username == "" {
		c.Username = more.Username
	}
}

// groups returns the groups in a claim of any name, which is a text or a list; nil if it is
// not there.
func (c claims) groups(read func(any) error, claim string) []string {
	all := map[string]json.RawMessage{}
	if claim == "" || read(&all) != nil || all[claim] == nil {
		return nil
	}
	list := []string{}
	if json.Unmarshal(all[claim], &list) == nil {
		return list
	}
	one := ""
	if json.Unmarshal(all[claim], &one) == nil {
		return []string{one}
	}
	return nil
}
