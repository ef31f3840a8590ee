package chat

import (
	"context"
	"strings"
	"testing"
)

// oneCommon knows one common password; the list is tested where it is.
type oneCommon struct{}

func (oneCommon) Hash(context.Context, string) (string, error)         { return "", nil }
func (oneCommon) Verify(context.Context, string, string) (bool, error) { return false, nil }
func (oneCommon) VerifyNone(context.Context, string) error             { return nil }
func (oneCommon) Common(p string) bool                                 { return p == "iloveyou" }

func TestValidPassword(t *testing.T) {
	s := NewService(nil, oneCommon{}, nil, nil, DefaultLimits())
	for _, p := range []string{"correct horse", "密码密码密码密码", strings.Repeat("x", 128), "alice in wonderland", "my alice 2", "wonderalice", "Tr0ub4dor", "        x"} {
		if err := s.validPassword("alice", p); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
	for _, p := range []string{"", "1234567", strings.Repeat("x", 129), "        ", "\u00a0\u00a0\u00a0\u00a0\u00a0\u00a0\u00a0\u00a0\u00a0", "\u3164\u2800\u200b\u3164\u2800\u200b\u3164\u2800",
		"a good\x00one", "a good\xff", "iloveyou", "alice123", "Alice2024!", "123alice", "alicealice", "ALICE ALICE", "alice-alice-1", "!!alice!!"} {
		if err := s.validPassword("alice", p); CodeOf(err) != BadRequest {
			t.Errorf("%q passes: %v", p, err)
		}
	}
	for username, p := range map[string]string{"bob.builder": "bob.builder", "bobbuilder": "Bob-Builder", "alice.miller": "4l1ce.m1ller", "b0bbuilder": "bobbuilder"} {
		if err := s.validPassword(username, p); CodeOf(err) != BadRequest {
			t.Errorf("%q passes for %s: %v", p, username, err)
		}
	}
}
