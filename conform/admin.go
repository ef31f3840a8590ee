package conform

import "net/http"

// §8, administrators, as an ordinary user meets them.
func administration(t *T, c *cast) {
	if c.eve.Ask("GET", "/admin/users", nil).Status == http.StatusNotFound {
		t.Skipf("not served")
	}
	for _, ask := range []struct{ method, path string }{
		{"GET", "/admin/users"}, {"GET", "/admin/chats"}, {"GET", "/admin/audit"},
		{"POST", "/admin/users/" + c.bob.ID + "/suspend"}, {"PUT", "/admin/users/" + c.eve.ID + "/administrator"},
		{"DELETE", "/admin/users/" + c.bob.ID + "/sessions"},
	} {
		refused(t, c.eve, "forbidden", ask.method, ask.path, nil)
		refused(t, anonymous(c), "unauthenticated", ask.method, ask.path, nil)
	}
	c.bob.Rest("GET", "/me", nil, http.StatusOK, nil)
	var me object
	c.eve.Ask("GET", "/me", nil).Read(t, &me)
	if me["administrator"] == true {
		t.Errorf("an ordinary user is an administrator")
	}
}
