package app

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pairIn is a certificate in files of a folder of its own, and the log of what reads it.
type pairIn struct {
	*pair
	log bytes.Buffer
}

func newPair(t *testing.T, a *authority) *pairIn {
	t.Helper()
	chain, secret := a.valid(chatHost)
	dir := t.TempDir()
	p := &pairIn{}
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, cert, chain)
	write(t, key, secret)
	var err error
	if p.pair, err = openPair(cert, key, chatHost, slog.New(slog.NewTextHandler(&p.log, nil))); err != nil {
		t.Fatal(err)
	}
	return p
}

// replace puts another certificate in place, with a time of its own: a file system may
// count in seconds.
func replace(t *testing.T, name string, content []byte) {
	t.Helper()
	write(t, name+".new", content)
	later := time.Now()
	if info, err := os.Stat(name); err == nil {
		later = info.ModTime().Add(2 * time.Second)
	}
	if err := os.Chtimes(name+".new", later, later); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

func (p *pairIn) serial() int64 { return p.Leaf().SerialNumber.Int64() }

// Files that change are read again, both together: a certificate whose key has not come
// yet is not used, and neither is any pair that is worse than the one before.
func TestCertificateFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	p := newPair(t, a)
	first := p.serial()
	chain, secret := a.valid(chatHost)
	replace(t, p.cert, chain)
	for range 3 {
		p.look()
	}
	if p.serial() != first {
		t.Error("a certificate without its key is in use")
	}
	if n := strings.Count(p.log.String(), "cannot be used"); n != 1 {
		t.Errorf("the log has %d lines of the half that came:\n%s", n, &p.log)
	}
	replace(t, p.key, secret)
	p.look()
	if p.serial() != first+1 || !strings.Contains(p.log.String(), "took over the new certificate") {
		t.Errorf("the new certificate is not in use:\n%s", &p.log)
	}
}

// Files that are as they were but could not be used are read again: what was in the way may
// have been something else, such as rights.
func TestCertificateFilesComeBack(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	p := newPair(t, a)
	first := p.serial()
	chain, secret := a.valid(chatHost)
	replace(t, p.cert, chain)
	replace(t, p.key, secret)
	p.seen, p.refused = p.stamps(), "not allowed to read them"
	p.look()
	if p.serial() == first || p.refused != "" {
		t.Errorf("still %d; log:\n%s", first, &p.log)
	}
}

func TestBadCertificateFilesKeepTheOld(t *testing.T) {
	t.Parallel()
	a, now := newAuthority(t), time.Now()
	otherChain, otherKey := a.valid("other.example.org")
	goneChain, goneKey := a.issue(chatHost, now.Add(-2*time.Hour), now.Add(-time.Hour))
	laterChain, laterKey := a.issue(chatHost, now.Add(time.Hour), now.Add(2*time.Hour))
	for name, tc := range map[string]struct {
		chain, secret []byte
		want          string
	}{
		"no PEM":       {[]byte("nothing"), []byte("nothing"), "failed to find any PEM data"},
		"huge":         {bytes.Repeat([]byte("x"), pairBytes+1), otherKey, "has more than 1048576 bytes"},
		"another name": {otherChain, otherKey, "is not for the name in public_url"},
		"ended":        {goneChain, goneKey, "the new one ended at"},
		"not yet":      {laterChain, laterKey, "the new one begins at"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, a)
			used := p.serial()
			replace(t, p.cert, tc.chain)
			replace(t, p.key, tc.secret)
			p.look()
			p.look()
			if p.serial() != used || strings.Count(p.log.String(), tc.want) != 1 {
				t.Errorf("in use: %d, was %d; log:\n%s", p.serial(), used, &p.log)
			}
			if err := os.Remove(p.cert); err != nil {
				t.Fatal(err)
			}
			p.look()
			if p.serial() != used || !strings.Contains(p.log.String(), "no such file") {
				t.Errorf("without a certificate: %s", &p.log)
			}
			chain, secret := a.valid(chatHost)
			replace(t, p.cert, chain)
			replace(t, p.key, secret)
			p.look()
			if p.serial() == used {
				t.Errorf("a good pair after a bad one is not used:\n%s", &p.log)
			}
		})
	}
}

// A start without a usable certificate is refused, naming the file.
func TestUnusableCertificateEndsTheStart(t *testing.T) {
	t.Parallel()
	a, dir := newAuthority(t), t.TempDir()
	chain, secret := a.valid("other.example.org")
	at := func(name string, content []byte) string {
		file := filepath.Join(dir, name)
		write(t, file, content)
		return file
	}
	for files, want := range map[string]string{
		filepath.Join(dir, "missing.pem") + "," + at("other.key", secret): "tls: read certificate: open " + filepath.Join(dir, "missing.pem"),
		at("other.pem", chain) + "," + filepath.Join(dir, "missing.key"):  "tls: read key: open " + filepath.Join(dir, "missing.key"),
		at("other.pem", chain) + "," + at("other.key", secret):            "is not for the name in public_url",
		at("other.pem", chain) + "," + at("text.key", []byte("text")):     "text.key: tls: failed to find any PEM data",
	} {
		c := nodeSettings(t)
		c.TLS = files
		if _, err := Open(t.Context(), c, "test", quiet()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open: %v; want %s", err, want)
		}
	}
}
