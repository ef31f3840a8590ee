package presence

import (
	"context"
	"net"
)

// WithDial makes connections by dial.
func (c RedisConfig) WithDial(dial func(ctx context.Context, network, address string) (net.Conn, error)) RedisConfig {
	c.dial = dial
	return c
}
