package server_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"fechatter/app"
	"fechatter/conform/client"
)

const issuerSecret = "an application's secret of 40 bytes or so"

func withIssuer(c *app.Config) {
	c.JWT = app.Issuers{{Issuer: "https://app.example", Audience: "chat", Keys: issuerSecret}}
}

// issue makes a token as the application does, good for so long.
func issue(t *testing.T, subject, name string, lasts time.Duration) string {
	t.Helper()
	part := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	now := time.Now()
	signed := part(map[string]any{"alg": "HS256", "typ": "JWT"}) + "." + part(map[string]any{"iss": "https://app.example", "aud": "chat",
		"sub": subject, "name": name, "iat": now.Unix(), "exp": now.Add(lasts).Unix()})
	mac := hmac.New(sha256.New, []byte(issuerSecret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// embedded returns the user of a token.
func embedded(t *testing.T, root *client.Person, token string) *client.Person {
	t.Helper()
	p := root.As(t, token)
	var me struct{ ID, Username string }
	p.Rest("GET", "/me", nil, http.StatusOK, &me)
	p.ID, p.Name = me.ID, me.Username
	return p
}

// TestEmbeddedUsers are made at first sight, are the same ever after, and live by their tokens.
func TestEmbeddedUsers(t *testing.T) {
	t.Parallel()
	n := startNode(t, withIssuer)
	nobody := (&client.Person{URL: n.url}).As(t, issue(t, "0", "Too Early", time.Hour))
	nobody.Rest("GET", "/me", nil, http.StatusForbidden, nil) // there is no administrator yet
	root := client.SignUp(t, n.url, "root")
	grace := embedded(t, root, issue(t, "42", "Grace Hopper", time.Hour))
	if grace.Name != "grace-hopper" {
		t.Errorf("she is called %q", grace.Name)
	}
	again := embedded(t, root, issue(t, "42", "Another Name", 2*time.Hour))
	other := embedded(t, root, issue(t, "43", "Grace Hopper", time.Hour))
	if again.ID != grace.ID || other.ID == grace.ID || other.Name != "grace-hopper2" {
		t.Errorf("the same is %s and %s, another %s (%s)", grace.ID, again.ID, other.ID, other.Name)
	}
	root.Rest("PUT", "/admin/users/by-external-id/44", map[string]any{"username": "prepared", "issuer": "https://app.example"}, http.StatusCreated, nil)
	if p := embedded(t, root, issue(t, "44", "x", time.Hour)); p.Name != "prepared" {
		t.Errorf("who was made before is %q", p.Name)
	}
	id := root.Group(grace)
	s, stream := grace.Fresh(), grace.Stream("")
	stream.Want("ready")
	root.Say(id, "hello")
	s.Want("message.created")
	s.OK("message.send", map[string]any{"chat_id": id, "key": client.NewKey(), "body": "hello"})
	grace.As(t, "x.y.z").Rest("GET", "/me", nil, http.StatusUnauthorized, nil)
	grace.Rest("PUT", "/me/password", map[string]any{"current_password": "", "new_password": "correct horse"}, http.StatusForbidden, nil)

	root.Rest("DELETE", "/admin/users/"+grace.ID+"/sessions", nil, http.StatusOK, nil)
	s.Closes(4500)
	stream.Ends()
	grace.Rest("GET", "/me", nil, http.StatusUnauthorized, nil)
	renewed := grace.As(t, issue(t, "42", "", time.Hour))
	for renewed.Do("GET", "/me", nil).Status != http.StatusOK { // tokens tell whole seconds
		if t.Context().Err() != nil {
			t.Fatal("a token that was issued later is not believed")
		}
		renewed = grace.As(t, issue(t, "42", "", time.Hour))
	}
	s = renewed.Fresh()
	root.Rest("POST", "/admin/users/"+grace.ID+"/suspend", nil, http.StatusOK, nil)
	s.Closes(4500)
	grace.As(t, issue(t, "42", "", time.Hour)).Rest("GET", "/me", nil, http.StatusUnauthorized, nil)
}

// TestTokenIsRenewed: a connection ends with its token, unless it was given a newer one.
func TestTokenIsRenewed(t *testing.T) {
	t.Parallel()
	n := startNode(t, withIssuer)
	root := client.SignUp(t, n.url, "root")
	ada := embedded(t, root, issue(t, "ada", "Ada", time.Hour))
	const short = 15 * time.Second
	left, kept := ada.As(t, issue(t, "ada", "", short)), ada.As(t, issue(t, "ada", "", short))
	ends, goesOn, stream := left.Fresh(), kept.Fresh(), left.Stream("")
	stream.Want("ready")
	goesOn.Refused("auth", map[string]any{"token": issue(t, "eve", "Eve", time.Hour)}, "forbidden")
	goesOn.Refused("auth", map[string]any{"token": issue(t, "ada", "", -time.Hour)}, "unauthenticated")
	goesOn.OK("auth", map[string]any{"token": issue(t, "ada", "", time.Hour)})
	goesOn.OK("auth", map[string]any{"token": issue(t, "ada", "", time.Second)}) // not newer: changes nothing
	root.Fresh().Refused("auth", map[string]any{"token": root.Token}, "bad_request")
	ends.Closes(4503)
	stream.Ends()
	goesOn.OK("ping", map[string]any{})
	left.Rest("GET", "/me", nil, http.StatusUnauthorized, nil)
}
