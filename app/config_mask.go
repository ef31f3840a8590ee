package app

import (
	"fmt"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"
)

const mask = "xxxxx"

// String returns the settings as a chat.yml with secrets masked.
func (c Config) String() string {
	c.Database = maskURL(c.Database)
	c.Nats = maskServers(c.Nats)
	c.Presence = maskURL(c.Presence)
	c.Search = maskURL(c.Search)
	c.Files = maskURL(c.Files)
	c.OutboundProxy = maskURL(c.OutboundProxy)
	c.OIDC = c.OIDC.masked()
	if c.Meilisearch.APIKey != "" {
		c.Meilisearch.APIKey = mask
	}
	c.JWT = c.JWT.masked()
	c.Mail = maskURL(c.Mail)
	if c.MailPassword != "" {
		c.MailPassword = mask
	}
	if c.AdminToken != "" {
		c.AdminToken = mask
	}
	if c.NatsAccess.Token != "" {
		c.NatsAccess.Token = mask
	}
	out, err := yaml.Marshal(c)
	if err != nil {
		return fmt.Sprintf("# settings cannot be printed: %v\n", err)
	}
	return string(out)
}

func maskServers(list string) string {
	servers := strings.Split(list, ",")
	for i := range servers {
		servers[i] = maskURL(strings.TrimSpace(servers[i]))
	}
	return strings.Join(servers, ",")
}

// maskURL hides the password of a URL, a lone user name (which NATS takes as a token)
// and parameters that name a password. Anything that is not a server URL stays.
func maskURL(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	u, err := url.Parse(s)
	if err != nil {
		return scheme(s) + "://" + mask // it may hold a secret that Parse choked on
	}
	if u.User != nil {
		u.User = maskUser(u)
	}
	q := u.Query()
	for name := range q {
		if strings.Contains(strings.ToLower(name), "password") {
			q.Set(name, mask)
			u.RawQuery = q.Encode()
		}
	}
	return u.String()
}

func maskUser(u *url.URL) *url.Userinfo {
	if _, has := u.User.Password(); has {
		return url.UserPassword(u.User.Username(), mask)
	}
	if strings.HasPrefix(u.Scheme, "postgres") || strings.HasPrefix(u.Scheme, "smtp") {
		return u.User
	}
	return url.User(mask)
}
