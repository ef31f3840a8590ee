package password

import (
	"strings"
	"testing"
)

func TestCommon(t *testing.T) {
	h := New(1)
	for pw, want := range map[string]bool{
		"password": true, "Password1": true, "12345678": true, "1234567890": true, "QWERTYUIOP": true, "iloveyou": true,
		"passw0rd": true, "p@ssw0rd": true, "trustno1": true, "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44": true, "zzzzzzzzzz": true,
		"correct horse": false, "correct horse battery staple": false, "a good password": false, "": false, "\n": false,
		"password\n": false, "password\npassword1": false, "asswordq": false, "密码密码密码密码": false,
	} {
		if got := h.Common(pw); got != want {
			t.Errorf("%q: %v, want %v", pw, got, want)
		}
	}
	first, _, _ := strings.Cut(common, "\n")
	if last := common[strings.LastIndexByte(strings.TrimSuffix(common, "\n"), '\n')+1 : len(common)-1]; !h.Common(first) || !h.Common(last) {
		t.Errorf("the first, %q, and the last, %q, of the list are not found", first, last)
	}
	if n := strings.Count(common, "\n"); n < 38_000 || len(common) > 500_000 {
		t.Errorf("%d passwords in %d bytes", n, len(common))
	}
}
