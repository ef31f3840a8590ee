package app

import (
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"strings"
)

// validateTLS checks what tls says and what goes with it. The files are read when the node
// is opened.
func (c Config) validateTLS() error {
	cert, key, files := c.certificateFiles()
	switch {
	case !c.servesTLS():
		if c.RedirectListen != "" && c.RedirectListen != noRedirect {
			return errors.New("redirect_listen: redirects to https, which tls: off does not serve; set tls, or have your proxy redirect")
		}
		return nil
	case c.TLS != acmeTLS && (!files || cert == "" || key == "" || strings.Contains(key, ",")):
		return fmt.Errorf("tls: %q is not off, acme, or two files as in /etc/fechatter/cert.pem,/etc/fechatter/key.pem", c.TLS)
	case scheme(c.PublicURL) != "https":
		return errors.New("tls: needs the address that people type in public_url, such as https://chat.example.org: the certificate is for its name")
	}
	if c.RedirectListen != noRedirect {
		if err := listenAddress("redirect_listen", c.RedirectListen, true); err != nil {
			return err
		}
	}
	if c.TLS == acmeTLS {
		return c.validateACME()
	}
	return nil
}

// validateACME checks what an authority would refuse, or could not do.
func (c Config) validateACME() error {
	host := c.publicHost()
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") {
		return fmt.Errorf("tls: acme: no authority certifies %q; set public_url to a domain name that leads to this machine, or tls to certificate files", host)
	}
	u, err := url.Parse(c.ACME.Directory)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("acme_directory: %q is not an address such as https://acme-v02.api.letsencrypt.org/directory", c.ACME.Directory)
	}
	if c.ACME.Email != "" {
		if at, err := mail.ParseAddress(c.ACME.Email); err != nil || at.Address != c.ACME.Email {
			return fmt.Errorf("acme_email: %q is not an address such as ops@example.org", c.ACME.Email)
		}
	}
	folder, isFolder := strings.CutPrefix(c.ACME.Storage, certificateFolder)
	switch {
	case isFolder && folder == "" || !isFolder && c.ACME.Storage != certificateDatabase:
		return fmt.Errorf("acme_storage: %q is neither database nor a folder, such as folder:data/certificates", c.ACME.Storage)
	case isFolder && scheme(c.Nats) != "embedded":
		return errShared
	}
	return nil
}
