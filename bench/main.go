// Command bench measures the program as its clients see it. It starts the binary
// in an empty folder, drives it from a process of its own, and prints one JSON
// line per run.
//
//	bench load -connections 200 -rate 50 -duration 30s   ack and delivery times
//	bench storm -nodes 2 -connections 5000               a node restarts, all its clients come back
//	bench drain -nodes 2 -connections 5000               a node leaves in order, its clients move over
//	bench search -messages 100000 -chats 50 -rate 5      searches, sends until found, a rebuild; MEILI_URL for Meilisearch
//	bench idle -connections 5000 -chats 1                memory of idle connections
//	bench abuse -accounts 2000 -duration 30s             honest people beside floods of many kinds
//	bench hot -duration 10s -rounds 3                    sends into one chat from one, two and three nodes
//	bench fanout -connections 1000 -rate 20 -rounds 3    one message to all, beside other servers
//	bench peers -connections 1000                        the same under several loads, as a table
//	bench growth -sizes 10000,1000000                    what more and more messages cost
//	bench scale -connections 1000 -verify 2000           what each thing costs, and a model of many connections
//
// It is a module of its own, which keeps the servers that it compares out of the
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
	fanoutOptions
	growthOptions
	scaleOptions
	abuse abuseOptions
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) < 2 {
		return fmt.Errorf("what to measure? load, storm, drain, search, idle, abuse, hot, fanout, peers, growth or scale")
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if len(os.Args) == 4 && os.Args[1] == "serve" {
		return serve(ctx, os.Args[2], os.Args[3])
	}
	o := defaults(os.Args[1])
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	flags.StringVar(&o.program, "program", "bin/fechatter", "the binary to measure")
	flags.IntVar(&o.connections, "connections", o.connections, "WebSocket connections")
	flags.IntVar(&o.users, "users", o.users, "users that the connections belong to")
	flags.IntVar(&o.members, "members", o.members, "users of a chat")
	flags.IntVar(&o.chats, "chats", o.chats, "chats that every user is a member of")
	flags.IntVar(&o.nodes, "nodes", 1, "nodes; several share a private PostgreSQL and a NATS server")
	flags.Float64Var(&o.rate, "rate", o.rate, "sends per second, over all connections")
	flags.IntVar(&o.messages, "messages", 100_000, "messages to store before measuring searches")
	flags.DurationVar(&o.duration, "duration", o.duration, "how long to send")
	o.fanoutOptions.flags(flags)
	o.growthOptions.flags(flags)
	o.scaleOptions.flags(flags)
	o.abuse.flags(flags)
	if err := flags.Parse(os.Args[2:]); err != nil {
		return err
	}
	measure := map[string]func(context.Context, options) (any, error){"load": load, "storm": storm, "drain": drain, "search": search, "idle": idle, "abuse": abuse, "hot": hot, "fanout": fanout, "peers": comparePeers, "growth": growth, "scale": scale}[os.Args[1]]
	if measure == nil {
		return fmt.Errorf("%s is not load, storm, drain, search, idle, abuse, hot, fanout, peers, growth or scale", os.Args[1])
	}
	result, err := measure(ctx, o)
	if err != nil {
		return err
	}
	if result == nil { // it has printed a table
		return nil
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// defaults are those of the flags that differ from measurement to measurement. peers has a lot to
// measure, and is short unless it is asked for more.
func defaults(measurement string) options {
	o := options{connections: 200, users: 20, members: 200, chats: 1, rate: 50, duration: 30 * time.Second, fanoutOptions: fanoutOptions{rounds: 1, rest: idleRest}}
	switch measurement {
	case "fanout":
		o.connections, o.duration, o.rounds = 1000, 10*time.Second, 3
	case "growth":
		o.duration = 10 * time.Second
	case "scale":
		o.connections, o.users, o.members, o.chats, o.rate, o.duration = 1000, 100, 20, 5, 200, 10*time.Second
	case "peers":
		o.connections, o.duration, o.rest = 1000, 3*time.Second, 5*time.Second
	}
	return o
}

// serve is what this program does in processes of its own: a peer, a NATS server, or clients.
func serve(ctx context.Context, name, address string) error {
	switch name {
	case "nats":
		return serveNATS(ctx, address)
	case "crowd":
		return serveCrowd(ctx, os.Stdin, os.Stdout)
	}
	var listener net.ListenConfig
	l, err := listener.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return peers.Serve(ctx, name, l)
}
