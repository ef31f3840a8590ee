package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"fechatter/bench/peers"
)

// prepared is the program with users and a chat in its database.
type prepared struct {
	server *server
	users  []*user
}

func prepareSelf(ctx context.Context, o options) (prepared, error) {
	s, err := startServer(ctx, o.program)
	if err != nil {
		return prepared{}, err
	}
	o.members, o.chats = o.users, 1
	users, err := setUp(ctx, s.url, o)
	if err != nil {
		return prepared{}, errors.Join(err, s.stop())
	}
	s.kill()
	return prepared{s, users}, nil
}

// speaker is how the clients of one server log in and send.
type speaker struct {
	header    func(i int) http.Header
	greetings []greeting
	say       func(number int, text string) string
}

func (p prepared) speaker() speaker {
	chat := p.users[0].team.chats[0]
	return speaker{
		header: func(i int) http.Header {
			return http.Header{"Authorization": {"Bearer " + p.users[i%len(p.users)].Token}}
		},
		greetings: []greeting{{`{"id":"r","op":"resume","d":{"cursors":{}}}`, `"op":"ready"`}},
		say: func(number int, text string) string {
			return fmt.Sprintf(`{"id":"%d","op":"message.send","d":{"chat_id":"%s","key":"%d-%d","body":"%s"}}`, number, chat, time.Now().UnixNano(), number, text)
		},
	}
}

func peerSpeaker(name string) speaker {
	s := speaker{header: func(int) http.Header { return nil }, say: func(_ int, text string) string { return text }}
	if strings.HasPrefix(name, "centrifuge") {
		s.greetings = []greeting{{`{"id":1,"connect":{}}`, `"connect":`}, {`{"id":2,"subscribe":{"channel":"` + peers.Channel + `"}}`, `"subscribe":`}}
		s.say = func(number int, text string) string {
			return fmt.Sprintf(`{"id":%d,"publish":{"channel":"%s","data":{"text":"%s"}}}`, number+2, peers.Channel, text)
		}
	}
	return s
}

// startPeer runs this program as a peer, so that the peer, too, has a process of its own.
func startPeer(ctx context.Context, name string, cores int) (*server, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	listen, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	s := &server{url: "http://" + listen, cmd: exec.CommandContext(ctx, program, "serve", name, listen)}
	s.cmd.Stderr = os.Stderr
	return s, onServerCPUs(cores, func() error { return s.start(ctx) })
}
