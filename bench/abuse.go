package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"

	"fechatter/client"
)

// abuseOptions are the flags of abuse.
type abuseOptions struct {
	url      string
	accounts int
	files    int
	attack   float64
	only     string
	quick    bool
}

func (o *abuseOptions) flags(f *flag.FlagSet) {
	f.StringVar(&o.url, "url", "", "abuse a running node instead of starting one; it must believe X-Forwarded-For from here")
	f.IntVar(&o.accounts, "accounts", 2000, "accounts of the attacker, for abuse")
	f.IntVar(&o.files, "files", 1024, "open files that the abused node is allowed; the attacker opens twice as many sockets")
	f.Float64Var(&o.attack, "attack", 1000, "attempts per second of the attacker at most, over all that it does at once")
	f.StringVar(&o.only, "only", "", "the floods to make, as a regular expression; empty: all")
	f.BoolVar(&o.quick, "quick", false, "abuse with few accounts and little time, to see that it works")
}

// The honest people of abuse: chats of 5, two devices each, a message every second.
const (
	honestUsers   = 20
	honestMembers = 5
	honestDevices = 2
	honestRate    = 20
	// attackers are the accounts that do what one account is limited in.
	attackers = 10
	// groupSize is how many others a new chat may name.
	groupSize = 100
)

// abuseResult is one run of abuse.
type abuseResult struct {
	Run      string        `json:"run"`
	Accounts int           `json:"accounts"`
	Honest   int           `json:"honest_connections"`
	Floods   []floodResult `json:"floods"`
}

// floodResult is one flood. Times are milliseconds, as honest clients in the process of
// the attacker see them: both share the machine with the server.
type floodResult struct {
	Flood   string         `json:"flood"`
	Load    float64        `json:"machine_load"` // over the minute before its end
	Tried   int            `json:"tried"`
	Refused map[string]int `json:"refused"` // by code
	Alone   honestResult   `json:"alone"`   // just before
	During  honestResult   `json:"during"`
	Ratio   float64        `json:"ack_p99_ratio"`
	CPU     float64        `json:"server_processors"` // that the server kept busy during the flood
	Resume  [2]int64       `json:"victim_resume_bytes"`
	Live    int64          `json:"live"` // honest connections afterwards
}

// abuse measures honest people alone and beside an attacker, one flood after the other.
func abuse(ctx context.Context, o options) (any, error) {
	o = abuseShape(o)
	only, err := regexp.Compile(o.abuse.only)
	if err != nil {
		return nil, err
	}
	a, err := openArena(ctx, o)
	if err != nil {
		return nil, err
	}
	defer a.close()
	result := abuseResult{Run: "abuse", Accounts: len(a.accounts), Honest: len(a.honest.members)}
	fmt.Fprintln(os.Stderr, tableHead)
	for _, f := range a.floods() {
		if !only.MatchString(f.name) {
			continue
		}
		line, err := a.flood(ctx, f, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		fmt.Fprintln(os.Stderr, line.row(result.Honest))
		result.Floods = append(result.Floods, line)
	}
	if len(result.Floods) == 0 {
		return nil, fmt.Errorf("no flood matches %s", only)
	}
	return result, nil
}

// abuseShape fixes what abuse has no flags for, and makes it small if it shall be quick.
func abuseShape(o options) options {
	o.users, o.members, o.chats, o.rate = honestUsers, honestMembers, 1, honestRate
	o.connections = honestUsers * honestDevices
	if o.abuse.quick {
		o.abuse.accounts, o.abuse.files, o.duration = 2*attackers, 300, 2*time.Second
		o.users, o.connections = honestMembers, honestMembers
	}
	o.abuse.accounts = max(o.abuse.accounts, attackers)
	return o
}

// arena is a node with honest people and the accounts of an attacker.
type arena struct {
	server   *server // nil: somebody else's
	url      string
	honest   *honest
	accounts []*user // the attacker's
	public   string  // a public chat of honest people
	proxy    *http.Transport
	files    int
	attack   float64
}

func openArena(ctx context.Context, o options) (*arena, error) {
	a := &arena{url: strings.TrimRight(o.abuse.url, "/"), files: o.abuse.files, attack: o.abuse.attack,
		proxy: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second}}
	if a.url == "" {
		var err error
		env := []string{"FECHATTER_TRUSTED_PROXIES=127.0.0.1", "FECHATTER_LOG_LEVEL=error"}
		if a.server, err = startWithFiles(ctx, o.program, o.abuse.files, env...); err != nil {
			return nil, err
		}
		a.url = a.server.url
	}
	if err := a.settle(ctx, o); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// settle makes the accounts, each from a network of its own, and connects the honest ones.
func (a *arena) settle(ctx context.Context, o options) error {
	run := client.NewKey()[:6] // so that a running node can be abused again
	people := make([]*user, o.users+o.abuse.accounts)
	err := each(ctx, len(people), func(i int) (err error) {
		kind, address := "honest", fmt.Sprintf("172.%d.%d.1", 16+i>>8, i&255)
		if i >= o.users {
			kind, address = "attacker", fmt.Sprintf("10.%d.%d.1", i>>8, i&255)
		}
		people[i], err = signUpPatiently(ctx, client.Client{URL: a.url, HTTP: a.from(address)}, fmt.Sprintf("%s-%s-%d", kind, run, i))
		return err
	})
	if err != nil {
		return err
	}
	a.accounts = people[o.users:]
	if a.honest, err = gather(ctx, a.url, people[:o.users], o); err != nil {
		return err
	}
	var chat struct{ ID string }
	err = a.honest.users[0].post(ctx, "/chats", map[string]any{"kind": "public", "name": "all of us " + run}, &chat)
	a.public = chat.ID
	return err
}

// signUpPatiently signs up, and comes back when the node is busy with others' passwords.
func signUpPatiently(ctx context.Context, nobody client.Client, name string) (u *user, err error) {
	for try := range 10 {
		u, err = signUp(ctx, nobody, fmt.Sprintf("%s-%d", name, try)) // the name may have been taken all the same
		p, refused := errors.AsType[*client.Problem](err)
		if !refused || p.Status != http.StatusServiceUnavailable && p.Status != http.StatusTooManyRequests {
			return u, err
		}
		select {
		case <-time.After(time.Duration(p.RetryAfterMS) * time.Millisecond):
		case <-ctx.Done():
			return u, ctx.Err()
		}
	}
	return u, err
}

func (a *arena) close() {
	if a.honest != nil {
		a.honest.close()
	}
	a.proxy.CloseIdleConnections()
	if a.server != nil {
		_ = a.server.stop()
	}
}

// flood measures one flood: half its time alone before it, then all its time beside it.
func (a *arena) flood(ctx context.Context, f flood, o options) (floodResult, error) {
	r := floodResult{Flood: f.name}
	var err error
	if r.Resume[0], err = a.victim().resumeBytes(ctx); err != nil {
		return r, err
	}
	t := &attempts{refused: map[string]int{}, every: time.Duration(float64(time.Second) / a.attack)}
	if r.Alone, err = a.honest.live(ctx, o.duration/2, o.rate); err != nil {
		return r, err
	}
	attacking, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.run(attacking, t)
	}()
	before := a.cpu()
	r.During, err = a.honest.live(ctx, o.duration, o.rate)
	r.CPU = hundredths((a.cpu() - before).Seconds() / o.duration.Seconds())
	stop()
	<-ended
	if err != nil {
		return r, err
	}
	r.Tried, r.Refused = t.tried, t.refused
	r.Ratio, r.Load, r.Live = hundredths(r.During.Ack.P99/r.Alone.Ack.P99), machineLoad(), a.honest.connected.Load()
	r.Resume[1], err = a.victim().resumeBytes(ctx)
	return r, err
}

// victim is whom the attacker is after.
func (a *arena) victim() *user { return a.honest.users[0] }

func (a *arena) cpu() time.Duration {
	if a.server == nil {
		return 0
	}
	return a.server.cpu()
}

// startWithFiles starts the program with a limit of open files.
func startWithFiles(ctx context.Context, program string, files int, env ...string) (*server, error) {
	if runtime.GOOS != "linux" {
		return nil, errors.New("abuse starts nodes on Linux alone; use -url")
	}
	// What it logs about an attack is in its folder; here it would hide the table.
	return startBy(ctx, []string{"/bin/sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" 2>node.log`, files)}, program, env...)
}
