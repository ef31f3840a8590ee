package app

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// validateNats checks the addresses and what goes with them. The files are read when
// the node is opened.
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
		return errors.New("nats: ws:// and wss:// cannot be combined with nats:// and tls://")
	}
	return c.NatsAccess.validate(users > 0)
}

func (c Config) validateEmbedded() error {
	if c.Nats != "embedded:" {
		return fmt.Errorf("nats: embedded: takes no address, as in %q", maskServers(c.Nats))
	}
	if c.NatsAccess != (NatsAccess{}) {
		return errors.New("nats: embedded: is inside this process and takes no nats_tls_… and no credentials; set nats to nats://… or leave them out")
	}
	return nil
}

// natsAddress never shows the address: it may contain a password.
func natsAddress(server string) (*url.URL, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, errors.New("nats: invalid address; in a password, write / as %2F, @ as %40, and so on")
	}
	switch u.Scheme {
	case "nats", "tls", "ws", "wss":
	default:
		return nil, fmt.Errorf("nats: unknown scheme %q; use embedded: or nats://HOST:4222", scheme(server)+":")
	}
	if u.Hostname() == "" {
		return nil, fmt.Errorf("nats: no host in %q", maskURL(server))
	}
	return u, nil
}

// validate checks that the node has at most one way to authenticate.
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
		return fmt.Errorf("nats: %s are mutually exclusive", strings.Join(slices.Sorted(slices.Values(ways)), " and "))
	}
	return nil
}
