// Command bench measures the program as its clients see it. It starts the binary
// in an empty folder, drives it from a process of its own, and prints one JSON
// line per run.
//
//	bench load -connections 200 -rate 50 -duration 30s   ack and delivery times
//	bench storm -nodes 2 -connections 5000               a node restarts, all its clients come back
//	bench drain -nodes 2 -connections 5000               a node leaves in order, its clients move over
//	bench search -messages 100000 -chats 50 -rate 5      searches, sends until found, a rebuild; MEILI_URL for Meilisearch
//	bench idle -connections 5000 -chats 1                memory of idle connections
//	bench fanout -connections 1000 -rate 20 -rounds 3    one message to all, beside other servers
//
// It is a module of its own, so that what it is compared with stays out of the
// program's dependencies.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"time"

	"fechatter/bench/peers"
)

type options struct {
	program     string
	connections int
	users       int
	members     int
	chats       int
	nodes       int
	rate        float64
	duration    time.Duration
	messages    int
	peers       string
	rounds      int
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) < 2 {
		return fmt.Errorf("say what to measure: load, storm, drain, search, idle or fanout")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) == 4 && os.Args[1] == "serve" { // a peer, for fanout
		return servePeer(ctx, os.Args[2], os.Args[3])
	}
	var o options
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	flags.StringVar(&o.program, "program", "bin/fechatter", "the binary to measure")
	flags.IntVar(&o.connections, "connections", 200, "WebSocket connections")
	flags.IntVar(&o.users, "users", 20, "users that the connections belong to")
	flags.IntVar(&o.members, "members", 200, "users of a chat")
	flags.IntVar(&o.chats, "chats", 1, "chats that every user is a member of")
	flags.IntVar(&o.nodes, "nodes", 1, "nodes; several share a private PostgreSQL and a NATS server")
	flags.Float64Var(&o.rate, "rate", 50, "sends per second, over all connections")
	flags.IntVar(&o.messages, "messages", 100_000, "messages that there are before searches are measured")
	flags.DurationVar(&o.duration, "duration", 30*time.Second, "how long to send")
	flags.StringVar(&o.peers, "peers", "self,"+strings.Join(peers.Names(), ","), "whom fanout measures")
	flags.IntVar(&o.rounds, "rounds", 3, "how often fanout measures each")
	if err := flags.Parse(os.Args[2:]); err != nil {
		return err
	}
	measure := map[string]func(context.Context, options) (any, error){"load": load, "storm": storm, "drain": drain, "search": search, "idle": idle, "fanout": fanout}[os.Args[1]]
	if measure == nil {
		return fmt.Errorf("%s is not load, storm, drain, search, idle or fanout", os.Args[1])
	}
	result, err := measure(ctx, o)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

func servePeer(ctx context.Context, name, address string) error {
	var listener net.ListenConfig
	l, err := listener.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return peers.Serve(ctx, name, l)
}
