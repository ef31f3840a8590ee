package bus

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// carries fails unless a bus with cfg delivers an event to another such bus.
func carries(t *testing.T, cfg Config) {
	t.Helper()
	stream, node := uuid.NewString(), &recorder{}
	hears, says := live(t, cfg, node), live(t, cfg, &recorder{})
	if err := hears.Subscribe(stream); err != nil {
		t.Fatal(err)
	}
	flush(t, hears)
	says.Publish(stream, []byte("x"), "")
	eventually(t, "received", func() bool { return node.received() == 1 })
	echoed(t, hears)
}

// refused fails unless a bus with cfg stays lost, keeps trying, and logs why.
func refused(t *testing.T, cfg Config, why string) {
	t.Helper()
	log, node := &logged{}, &recorder{}
	cfg.Log = log.log()
	b := newBus(t, cfg)
	run(t, b, node)
	eventually(t, fmt.Sprintf("%q in the log", why), func() bool { return log.has(why) })
	if lost, known, _ := node.state(); !known || !lost || b.Stats().Connected {
		t.Error("the node was not told that the bus is lost")
	}
}

func TestTLS(t *testing.T) {
	a := newAuthority(t)
	open := startInside(t, &server.Options{TLSConfig: a.serverTLS(false), TLSTimeout: 5}).ClientURL()
	strict := startInside(t, &server.Options{TLSConfig: a.serverTLS(true), TLSTimeout: 5}).ClientURL()
	cert, key := a.issue("node")
	ours, certified := TLS{CA: a.file}, TLS{CA: a.file, Cert: cert, Key: key}
	asTLS := func(s string) string { return strings.Replace(s, "nats://", "tls://", 1) }

	t.Run("own CA", func(t *testing.T) { carries(t, Config{URL: asTLS(open), TLS: ours}) })
	t.Run("client certificate", func(t *testing.T) { carries(t, Config{URL: strict, TLS: certified}) })
	t.Run("unknown CA", func(t *testing.T) { refused(t, Config{URL: asTLS(open)}, "unknown authority") })
	t.Run("other CA", func(t *testing.T) {
		refused(t, Config{URL: open, TLS: TLS{CA: newAuthority(t).file}}, "unknown authority")
	})
	t.Run("no client certificate", func(t *testing.T) { refused(t, Config{URL: strict, TLS: ours}, "bus is unreachable") })
	t.Run("server without TLS", func(t *testing.T) {
		plain := startInside(t, &server.Options{}).ClientURL()
		refused(t, Config{URL: plain, TLS: ours}, "secure connection not available")
	})
}

func TestUserAndToken(t *testing.T) {
	byUser := startInside(t, &server.Options{Username: "chat", Password: "p w:@"})
	byToken := startInside(t, &server.Options{Authorization: "t0ken"})
	at := func(s *server.Server, user *url.Userinfo) string {
		u := url.URL{Scheme: "nats", User: user, Host: s.Addr().String()}
		return u.String()
	}
	t.Run("user", func(t *testing.T) {
		carries(t, Config{URL: at(byUser, url.UserPassword("chat", "p w:@"))})
	})
	t.Run("token", func(t *testing.T) {
		carries(t, Config{URL: at(byToken, nil), Credentials: Credentials{Token: "t0ken"}})
	})
	t.Run("token in the address", func(t *testing.T) { carries(t, Config{URL: at(byToken, url.User("t0ken"))}) })
	t.Run("wrong password", func(t *testing.T) {
		refused(t, Config{URL: at(byUser, url.UserPassword("chat", "no"))}, "NATS refuses this node's credentials")
	})
	t.Run("nobody", func(t *testing.T) {
		refused(t, Config{URL: at(byToken, nil)}, "NATS refuses this node's credentials")
	})
}

func TestNkey(t *testing.T) {
	pair, seed := newUser(t)
	public, _ := pair.PublicKey()
	srv := startInside(t, &server.Options{Nkeys: []*server.NkeyUser{{Nkey: public}}})
	file := filepath.Join(t.TempDir(), "node.nk")
	write(t, file, string(seed))
	carries(t, Config{URL: srv.ClientURL(), Credentials: Credentials{Nkey: file}})
	_, other := newUser(t)
	write(t, file, string(other))
	refused(t, Config{URL: srv.ClientURL(), Credentials: Credentials{Nkey: file}}, "NATS refuses this node's credentials")
}

func TestCredentialsFile(t *testing.T) {
	operator, _ := nkeys.CreateOperator()
	account, _ := nkeys.CreateAccount()
	accountID, _ := account.PublicKey()
	accountJWT := encode(t, jwt.NewAccountClaims(accountID), operator)
	resolver := &server.MemAccResolver{}
	if err := resolver.Store(accountID, accountJWT); err != nil {
		t.Fatal(err)
	}
	operatorID, _ := operator.PublicKey()
	claims := jwt.NewOperatorClaims(operatorID)
	srv := startInside(t, &server.Options{TrustedOperators: []*jwt.OperatorClaims{claims}, AccountResolver: resolver})

	user, seed := newUser(t)
	userID, _ := user.PublicKey()
	creds, err := jwt.FormatUserConfig(encode(t, jwt.NewUserClaims(userID), account), seed)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "node.creds")
	write(t, file, string(creds))
	carries(t, Config{URL: srv.ClientURL(), Credentials: Credentials{Creds: file}})
}

func TestInvalidFilesAreRefusedAtTheStart(t *testing.T) {
	a := newAuthority(t)
	cert, key := a.issue("node")
	_, otherKey := a.issue("other")
	garbage, missing := filepath.Join(a.dir, "garbage"), filepath.Join(a.dir, "missing")
	write(t, garbage, "nothing useful")
	for name, c := range map[string]struct {
		cfg  Config
		want string
	}{
		"CA missing":          {Config{TLS: TLS{CA: missing}}, "read CA certificates: open " + missing},
		"CA garbage":          {Config{TLS: TLS{CA: garbage}}, "read CA certificates: no PEM certificate in " + garbage},
		"certificate missing": {Config{TLS: TLS{Cert: missing, Key: key}}, "read client certificate: open " + missing},
		"key of another":      {Config{TLS: TLS{Cert: cert, Key: otherKey}}, "read client certificate: tls: private key does not match"},
		"key missing":         {Config{TLS: TLS{Cert: cert}}, "needs both"},
		"creds missing":       {Config{Credentials: Credentials{Creds: missing}}, "read credentials from " + missing},
		"creds garbage":       {Config{Credentials: Credentials{Creds: garbage}}, "credentials from " + garbage},
		"nkey missing":        {Config{Credentials: Credentials{Nkey: missing}}, "read nkey seed from " + missing},
		"nkey garbage":        {Config{Credentials: Credentials{Nkey: garbage}}, "read nkey seed from " + garbage},
		"two ways":            {Config{Credentials: Credentials{Nkey: garbage, Token: "t"}}, "mutually exclusive"},
	} {
		c.cfg.URL = "nats://127.0.0.1:1"
		if _, err := New(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %s", name, err, c.want)
		}
	}
}

func newUser(t *testing.T) (nkeys.KeyPair, []byte) {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	return pair, seed
}

func encode(t *testing.T, claims jwt.Claims, by nkeys.KeyPair) string {
	t.Helper()
	text, err := claims.Encode(by)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
