package app

import "testing"

func TestMemoryIsGivenBackOnceAfterARush(t *testing.T) {
	const mb = 1 << 20
	var m memory
	for _, c := range []struct {
		what      string
		allocated uint64
		want      bool
	}{
		{"the start is a rush", 20 * mb, false},
		{"it goes on", 50 * mb, false},
		{"it is over", 52 * mb, true},
		{"calm", 54 * mb, false},
		{"another", 90 * mb, false},
		{"over", 90 * mb, true},
	} {
		if got := m.look(c.allocated); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
	if allocated() == 0 {
		t.Error("the runtime says that nothing was ever allocated")
	}
}
