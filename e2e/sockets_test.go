package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"fechatter/conform/client"
)

const handshake = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// holds are what somebody sends on a socket to keep it, with or without waiting for the
// head of an answer. %s is a session's token.
func holds() map[string]string {
	return map[string]string{
		"silence":                       "",
		"half a header":                 "GET / HTTP/1.1\r\nHost: x\r\nX-Half: ",
		"half a body":                   "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
		"half a chunk":                  "POST /api/v1/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{",
		"half a body that is refused":   "PATCH /api/v1/me HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
		"half a body of somebody":       "PATCH /api/v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
		"an idle connection":            "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
		"an idle connection of someone": "GET /api/v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n",
		"answers that nobody reads":     strings.Repeat("GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", 100),
		"a WebSocket without auth":      handshake,
		"HTTP/2":                        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
	}
}

// startWithFiles starts a node that may have so many files open.
func startWithFiles(t *testing.T, files int) *node {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a node")
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0"`, files), program)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "FECHATTER_LISTEN=127.0.0.1:0", "FECHATTER_ADMIN_LISTEN=127.0.0.1:0", "FECHATTER_DRAIN_DELAY=0s", "FECHATTER_REGISTRATION=open",
		"FECHATTER_LIMITS_SIGNUPS_PER_IP_PER_MINUTE=0", "FECHATTER_LIMITS_LOGINS_PER_IP_PER_MINUTE=0", "FECHATTER_LIMITS_REQUESTS_PER_SECOND=0")
	n := launch(t, cmd)
	n.awaitReady()
	return n
}

// With 300 descriptors, newcomers get in whatever is held by how many sockets, and whoever
// is in stays.
func TestNewcomersGetInBesideHeldSockets(t *testing.T) {
	t.Parallel()
	n := startWithFiles(t, 300)
	ada := client.SignUp(t, n.url, "ada")
	live := ada.Fresh()
	group := ada.Group()
	ada.Say(group, "kept")
	for _, sockets := range []int{261, 522} {
		for name, text := range holds() {
			t.Run(fmt.Sprint(sockets, " of ", name), func(t *testing.T) {
				held := hold(t, n, sockets, strings.ReplaceAll(text, "%s", ada.Token))
				n.t = t
				held = append(held, settle(t, n)...)
				newcomer := client.SignUp(t, n.url, fmt.Sprintf("p-%x", time.Now().UnixNano()))
				newcomer.Fresh().OK("ping", nil)
				for _, path := range []string{"/livez", "/readyz", "/health"} {
					// A part of the node may fail for a moment: a disk is slow.
					eventually(t, "well by "+path, func() bool { return n.status(path) == http.StatusOK })
				}
				live.OK("ping", nil)
				for _, c := range held {
					_ = c.Close()
				}
			})
		}
	}
	n.t = t
	eventually(t, "found", func() bool {
		var found struct{ Total int }
		ada.Rest("GET", "/search?q=kept", nil, http.StatusOK, &found)
		return found.Total == 1
	})
	for _, word := range []string{"too many open files", "recreated", "panic"} {
		if strings.Contains(n.log.String(), word) {
			t.Errorf("the log says %q", word)
		}
	}
}

// hold opens sockets and sends text on each.
func hold(t *testing.T, n *node, sockets int, text string) (held []net.Conn) {
	t.Helper()
	for range sockets {
		c, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, text) // or it has been closed for another
		if strings.HasSuffix(text, "\r\n\r\n") && len(text) < 1000 {
			_, _ = bufio.NewReader(c).ReadString('\n') // until it is idle
		}
		held = append(held, c)
	}
	return held
}

// settle waits until eight others get in beside the held sockets, one after another, and
// returns theirs: of strangers, a later one may take the place of an earlier one. Until
// then the node rightly tells them to come again: whoever it works on keeps a place, and a
// busy machine works long on answers that nobody reads.
func settle(t *testing.T, n *node) (others []net.Conn) {
	t.Helper()
	eventually(t, "settled", func() bool {
		for _, c := range others {
			_ = c.Close()
		}
		others = nil
		for range 8 {
			others = append(others, hold(t, n, 1, "")...)
			if !getsIn(others[len(others)-1]) {
				return false
			}
		}
		return true
	})
	return others
}

// getsIn reports whether a socket is let in, as a stranger's.
func getsIn(c net.Conn) bool {
	if _, err := io.WriteString(c, "GET /api/v1/me HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return false
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusUnauthorized
}

// Somebody who opens sockets without end, from an address of their own, keeps nobody out.
func TestNewcomersGetInDuringAFlood(t *testing.T) {
	t.Parallel()
	n := startWithFiles(t, 300)
	ctx, cancel := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	defer flood.Wait()
	defer cancel()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	if c, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(n.url, "http://")); err != nil {
		t.Skip("this machine has one loopback address: ", err)
	} else {
		_ = c.Close()
	}
	for range 8 {
		flood.Go(func() {
			var held []net.Conn
			for ctx.Err() == nil {
				if c, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(n.url, "http://")); err == nil {
					_, _ = io.WriteString(c, "GET / HTTP/1.1\r\n")
					held = append(held, c)
				}
				if len(held) > 100 {
					_ = held[0].Close()
					held = held[1:]
				}
			}
			for _, c := range held {
				_ = c.Close()
			}
		})
	}
	for i := range 5 {
		newcomer := client.SignUp(t, n.url, fmt.Sprint("newcomer-", i))
		newcomer.Fresh().OK("ping", nil)
	}
}

// At the cap of live connections and sockets, the newcomer is told so at once, those who
// are in stay, and the node can be asked how it is.
func TestAFullNodeSaysSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, dir, "FECHATTER_LIMITS_SOCKETS=16", "FECHATTER_LIMITS_SOCKETS_PER_ADDRESS=0")
	ada := client.SignUp(t, n.url, "ada")
	var live []*client.Socket
	for range 12 { // three quarters
		live = append(live, ada.Fresh())
	}
	refused := client.Do(t, "GET", n.url+"/ws", nil, http.Header{"Authorization": {"Bearer " + ada.Token}, "Connection": {"Upgrade"},
		"Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}})
	if refused.Status != http.StatusServiceUnavailable || refused.Header.Get("Retry-After") == "" {
		t.Errorf("one more live connection: %d %s", refused.Status, refused.Body)
	}
	ada.Rest("GET", "/me", nil, http.StatusOK, nil)
	for _, s := range live {
		s.OK("ping", nil)
	}
	if got := n.status("/readyz"); got != http.StatusOK {
		t.Errorf("/readyz: %d", got)
	}
}
