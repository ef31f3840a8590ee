//go:build !unix

package hub

import (
	"errors"
	"net"
	"syscall"
)

// rawConnOf returns nil: every write goes through the flusher.
func rawConnOf(net.Conn) syscall.RawConn { return nil }

func writeOnce(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }
