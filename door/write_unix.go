//go:build unix

package door

import (
	"errors"
	"syscall"
)

// writeNow writes what the network takes at once: an answer that it takes as a whole lets
// nobody think that its socket waits.
func (s *Socket) writeNow(p []byte) (n int, err error) {
	raw, err := s.SyscallConn()
	if err != nil {
		return 0, nil //nolint:nilerr // no descriptor: Conn.Write will do
	}
	failed := raw.Write(func(fd uintptr) bool {
		for {
			n, err = syscall.Write(int(fd), p)
			switch {
			case errors.Is(err, syscall.EINTR):
				continue
			case errors.Is(err, syscall.EAGAIN):
				n, err = 0, nil
			}
			return true
		}
	})
	if failed != nil {
		err = failed
	}
	return max(n, 0), err
}
