package app

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// validateNats checks the addresses and what goes with them. The files are read
// when the node opens.
func (c Config) validateNats() error {
	if scheme(c.Nats) == "embedded" {
		return c.validateEmbedded()
	}
	var users, sockets int
	servers := strings.Split(c.Nats, ",")
	for _, server := range servers {
		u, err := natsAddress(strings.TrimSpace(server))
		if err != nil {
			return err
		}
		if u.User != nil {
			users++
		}
		if strings.HasPrefix(u.Scheme, "ws") {
			sockets++
		}
	}
	if sockets > 0 && sockets < len(servers) {
		return errors.New("nats: ws:// and wss:// do not go together with nats:// and tls://")
	}
	return c.NatsAccess.validate(users > 0)
}

func (c Config) validateEmbedded() error {
	if c.Nats != "embedded:" {
		return fmt.Errorf("nats: %q has something behind embedded:, which stands alone", maskServers(c.Nats))
	}
	if c.NatsAccess != (NatsAccess{}) {
		return errors.New("nats: embedded: is within this process and takes no nats_tls_… and no credentials; set nats to nats://… or leave them out")
	}
	return nil
}

// natsAddress never shows what it was given: it may hold a password.
func natsAddress(server string) (*url.URL, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, errors.New("nats: an address cannot be read; in a password, write / as %2F, @ as %40, and so on")
	}
	switch u.Scheme {
	case "nats", "tls", "ws", "wss":
	default:
		return nil, fmt.Errorf("nats: %q is not known; it is embedded: or nats://HOST:4222", scheme(server)+":")
	}
	if u.Hostname() == "" {
		return nil, fmt.Errorf("nats: %q names no host", maskURL(server))
	}
	return u, nil
}

// validate checks that there is one way at most to say who the node is.
func (n NatsAccess) validate(userInAddress bool) error {
	if (n.TLSCert == "") != (n.TLSKey == "") {
		return errors.New("nats_tls_cert and nats_tls_key: one needs the other")
	}
	var ways []string
	for name, set := range map[string]bool{
		"a user in the address": userInAddress, "nats_creds": n.Creds != "", "nats_nkey": n.Nkey != "", "nats_token": n.Token != "",
	} {
		if set {
			ways = append(ways, name)
		}
	}
	if len(ways) > 1 {
		return fmt.Errorf("nats: %s exclude each other", strings.Join(slices.Sorted(slices.Values(ways)), " and "))
	}
	return nil
}
