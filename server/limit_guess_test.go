package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
)

// guess counts a wrong password and returns how long to wait before the next, 0 if it
// was checked.
func (g *guesses) guess(key string) time.Duration {
	judged, err := g.begin(key)
	if err != nil {
		return problemWait(err)
	}
	judged(true)
	return 0
}

func problemWait(err error) time.Duration {
	return time.Duration(problemOf(err).RetryAfterMS) * time.Millisecond
}

// Ten failures are free; from then on each asks for twice the wait of the one before, up
// to two minutes, and the wait told is the true one.
func TestGuessingCostsAGrowingWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuesses()
		for n := range freeGuesses {
			if wait := g.guess("ada"); wait > 0 {
				t.Fatalf("failure %d had to wait %s", n+1, wait)
			}
		}
		for _, want := range []time.Duration{5, 10, 20, 40, 80, 120, 120, 120} {
			wait := g.guess("ada")
			if wait != want*time.Second || problemWait(g.wait("ada")) != wait {
				t.Fatalf("asks for %s, want %d s", wait, want)
			}
			time.Sleep(wait - 1)
			if g.guess("ada") == 0 {
				t.Fatalf("passed before the end of %s", wait)
			}
			time.Sleep(time.Nanosecond)
			if g.guess("ada") > 0 {
				t.Fatalf("refused after %s", wait)
			}
		}
		if g.guess("bob") > 0 {
			t.Error("another account has to wait")
		}
		time.Sleep(guessWindow)
		if g.guess("ada") > 0 {
			t.Error("what was 15 minutes ago still counts")
		}
	})
}

// Guesses at once are as few as one after the other, and what was right, or was not
// checked, does not count.
func TestGuessesUnderWayCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuesses()
		var judge []func(bool)
		for range 50 {
			if judged, err := g.begin("ada"); err == nil {
				judge = append(judge, judged)
			}
		}
		if len(judge) != freeGuesses {
			t.Errorf("%d guesses at once, want %d", len(judge), freeGuesses)
		}
		for _, judged := range judge[1:] {
			judged(false)
		}
		for range freeGuesses - 1 {
			if g.guess("ada") > 0 {
				t.Fatal("what was right counts")
			}
		}
		if g.guess("ada") == 0 {
			t.Error("the one that was wrong does not count")
		}
	})
}

// A flood of names takes bounded memory, and does not make the node forget the account
// that is being guessed.
func TestGuessesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuesses()
		for range freeGuesses {
			g.guess("victim")
		}
		for n := range maxGuessed + 5000 {
			g.guess(fmt.Sprint("name ", n))
			g.befriend(fmt.Sprint("name ", n), "203.0.113.1")
		}
		if len(g.failed) > maxGuessed || len(g.friends) > maxGuessed {
			t.Errorf("remembers %d accounts and %d addresses", len(g.failed), len(g.friends))
		}
		if g.guess("victim") == 0 {
			t.Error("the victim's failures are forgotten")
		}
		time.Sleep(friendFor)
		g.guess("victim")
		if len(g.failed) != 1 || len(g.friends) != 0 {
			t.Errorf("a day later it remembers %d accounts and %d addresses", len(g.failed), len(g.friends))
		}
	})
}

// Where there are too many accounts, those with the fewest failures are forgotten.
func TestRoomIsMadeWhereItMattersLeast(t *testing.T) {
	m := map[string]int{"victim": 10}
	for n := range 10_000 {
		makeRoom(m, 100, func(failures int) int { return failures })
		m[fmt.Sprint("name ", n)] = 1
	}
	if len(m) != 100 || m["victim"] != 10 {
		t.Errorf("%d are remembered, the victim with %d failures", len(m), m["victim"])
	}
}

// logInFrom makes a log-in at an address; headers come in pairs.
func (n *node) logInFrom(address, name, pw string, headers ...string) answer {
	n.t.Helper()
	r := httptest.NewRequest(http.MethodPost, v1+"/sessions", strings.NewReader(fmt.Sprintf(`{"username":%q,"password":%q}`, name, pw)))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = address
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := serve(n.handler, r)
	return answer{status: w.Code, header: w.Header(), raw: w.Body.Bytes()}
}

// guessAt has an account guessed from 120 networks until it asks for a wait.
func (n *node) guessAt(name string) (tried int) {
	n.t.Helper()
	for i := range 120 {
		a := n.logInFrom(fmt.Sprintf("[2001:db8:%x::1]:1", i), name, "wrong password")
		switch a.status {
		case 401:
			tried++
		case 429:
			if a.header.Get("Retry-After") == "" || !strings.Contains(string(a.raw), `"retry_after_ms":`) {
				n.t.Errorf("does not tell how long to wait: %v %s", a.header, a.raw)
			}
		default:
			n.t.Errorf("guess %d: %d %s", i, a.status, a.raw)
		}
	}
	return tried
}

// An account that is guessed from everywhere refuses strangers, with the right password
// as with a wrong one and whether it exists or not, and lets in whoever it knows.
func TestGuessedAccount(t *testing.T) {
	n := newNode(t, nil)
	ada, bob := n.person("ada"), n.person("bob")
	home := n.logInFrom("203.0.113.1:1", "ada", password)
	var device string
	for _, c := range (&http.Response{Header: home.header}).Cookies() {
		if c.Name == deviceCookie {
			device = c.Name + "=" + c.Value
			if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/api/v1/sessions" || c.MaxAge != int(chat.DeviceTTL/time.Second) {
				t.Errorf("the device's cookie is %+v", c)
			}
		}
	}
	for _, name := range []string{"ada", "nobody", "Not A Name", strings.Repeat("x", 5000)} {
		if tried := n.guessAt(name); tried < freeGuesses || tried > freeGuesses+2 { // a slow machine waits for one or two
			t.Errorf("%.20s: %d of 120 guesses were tried", name, tried)
		}
	}
	right, wrong, unknown := n.logInFrom("198.51.100.1:1", "ada", password), n.logInFrom("198.51.100.2:1", "ada", "wrong password"), n.logInFrom("198.51.100.3:1", "nobody", password)
	for _, a := range []answer{right, wrong, unknown} {
		if a.status != 429 || len(a.header) != len(right.header) || detail(t, a) != detail(t, right) {
			t.Errorf("in a wait: %d %s %v", a.status, a.raw, a.header)
		}
	}
	for how, headers := range map[string][]string{
		"the cookie of an earlier log-in": {"Cookie", device},
		"a session":                       {"Authorization", "Bearer " + ada.token},
		"a session's cookie":              {"Cookie", sessionCookie + "=" + strings.Repeat("A", 43) + "; " + sessionCookie + "=" + ada.token},
	} {
		if a := n.logInFrom("198.51.100.1:1", "ada", password, headers...); a.status != 201 {
			t.Errorf("with %s: %d %s", how, a.status, a.raw)
		}
	}
	if a := n.logInFrom("203.0.113.1:1", "ada", password); a.status != 201 {
		t.Errorf("from an address of before: %d %s", a.status, a.raw)
	}
	for how, headers := range map[string][]string{
		"another's session": {"Authorization", "Bearer " + bob.token},
		"a cookie made up":  {"Cookie", deviceCookie + "=" + strings.Repeat("A", 54)},
		"another's cookie":  {"Cookie", deviceCookie + "=" + n.server.chat.DeviceToken("bob")},
		"a revoked session": {"Authorization", "Bearer " + strings.Repeat("A", 43)},
		"an odd credential": {"Authorization", "Basic x"},
		"no credential":     nil,
	} {
		if a := n.logInFrom("192.0.2.7:1", "ada", password, headers...); a.status != 429 {
			t.Errorf("with %s: %d %s", how, a.status, a.raw)
		}
	}
	if a := n.logInFrom("192.0.2.7:1", "bob", password); a.status != 201 {
		t.Errorf("another account: %d %s", a.status, a.raw)
	}
}

func detail(t *testing.T, a answer) string {
	t.Helper()
	_, rest, _ := strings.Cut(string(a.raw), `"detail":"`)
	text, _, _ := strings.Cut(rest, `"`)
	return text
}

// A device that is known has a count of its own: it may not guess without end either.
// So does a session whose current password is guessed.
func TestKnownDevicesMayNotGuessEither(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	cookie := deviceCookie + "=" + n.server.chat.DeviceToken("ada")
	for form, guess := range map[string]func(i int) int{
		"a device": func(i int) int {
			return n.logInFrom(fmt.Sprintf("[2001:db8:%x::1]:1", i), "ada", "wrong password", "Cookie", cookie).status
		},
		"an address": func(int) int { return n.logInFrom("192.0.2.1:1234", "ada", "wrong password").status }, // of httptest's requests
		"a session": func(int) int {
			return ada.do("PUT", "/me/password", object{"current_password": "wrong password", "new_password": "another password"}).status
		},
	} {
		tried := 0
		for i := range 60 {
			if status := guess(i); status == 401 || status == 403 {
				tried++
			} else if status != 429 {
				t.Errorf("%s: %d", form, status)
			}
		}
		if tried < freeGuesses || tried > freeGuesses+2 {
			t.Errorf("%s: %d of 60 guesses were tried", form, tried)
		}
	}
	if a := n.logInFrom("198.51.100.9:1", "ada", password); a.status != 201 {
		t.Errorf("a stranger waits for the failures of others: %d", a.status)
	}
}

// Strangers who use up the log-ins of an address keep no device away that is known.
func TestKnownDevicesNeedNoPlaceOfTheirAddress(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Quotas.LoginsPerIPPerMinute = 3 })
	n.person("ada")
	cookie := deviceCookie + "=" + n.server.chat.DeviceToken("ada")
	office := "203.0.113.1:1"
	for range 5 {
		n.logInFrom(office, "somebody", "wrong password")
	}
	if a := n.logInFrom(office, "ada", password); a.status != 429 {
		t.Errorf("a stranger: %d", a.status)
	}
	for i, want := range []int{201, 201, 201, 429} {
		if a := n.logInFrom(office, "ada", password, "Cookie", cookie); a.status != want {
			t.Errorf("log-in %d of a known device: %d %s", i, a.status, a.raw)
		}
	}
}
