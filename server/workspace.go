package server

import (
	"context"
	"strings"
	"sync"
	"time"

	"fechatter/chat"
	"fechatter/security"
)

// signIns is how one may log in here.
type signIns struct {
	Password  bool            `json:"password"`
	Passkey   bool            `json:"passkey"`
	Providers []chat.Provider `json:"providers"`
}

type workspaceOutput struct {
	Body struct {
		Name         string            `json:"name"`
		Registration chat.Registration `json:"registration" enum:"invite,open,closed"`
		Setup        bool              `json:"setup" doc:"nobody is here yet, and whoever comes first needs the setup code"`
		SignIn       signIns           `json:"sign_in"`
		Invitations  string            `json:"invitations" enum:"everyone,administrators" doc:"who may invite"`
		Mail         bool              `json:"mail" doc:"whether this server sends mail; if not, administrators hand out links"`
		Version      string            `json:"version"`
		Features     []string          `json:"features" doc:"what this server offers beyond chats"`
	}
}

// features are the parts of the contract that a client may look for.
func (s *Server) features() []string {
	all := []string{"blocks", "bots", "hooks", "invitations", "passkeys", "password_resets", "requests", "second_factor", "signals"}
	if s.limits.FileBytes > 0 {
		all = append(all, "files")
	}
	return all
}

// workspaceFor is how long a node may show what was true: whoever asks is anybody.
const workspaceFor = time.Second

// workspaces remembers the workspace for a moment, and has one request at a time read it from
// the database. Its methods may be called concurrently.
type workspaces struct {
	reading chan struct{} // holds a token while somebody reads

	mu        sync.Mutex
	known     *knownWorkspace // nil: nothing is known
	forgotten int             // how often it was
}

type knownWorkspace struct {
	chat.Workspace
	setup bool
	until time.Time
}

func newWorkspaces() *workspaces { return &workspaces{reading: make(chan struct{}, 1)} }

func (c *workspaces) read(ctx context.Context, s *chat.Service) (knownWorkspace, error) {
	if k, ok, _ := c.fresh(); ok {
		return k, nil
	}
	if err := acquire(ctx, c.reading); err != nil {
		return knownWorkspace{}, chat.Wrap(chat.Unavailable, err, "the database does not answer")
	}
	defer func() { <-c.reading }()
	k, ok, forgotten := c.fresh()
	if ok {
		return k, nil
	}
	w, setup, err := s.Workspace(ctx)
	if err != nil {
		return knownWorkspace{}, err
	}
	k = knownWorkspace{w, setup, time.Now().Add(workspaceFor)}
	c.keep(k, forgotten)
	return k, nil
}

func (c *workspaces) fresh() (k knownWorkspace, ok bool, forgotten int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || time.Now().After(c.known.until) {
		return knownWorkspace{}, false, c.forgotten
	}
	return *c.known, true, c.forgotten
}

// keep remembers what was read, unless it has been forgotten meanwhile: it may be from before.
func (c *workspaces) keep(k knownWorkspace, forgotten int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forgotten == forgotten {
		c.known = &k
	}
}

func (c *workspaces) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = nil
	c.forgotten++
}

func (s *Server) getWorkspace(ctx context.Context, _ *struct{}) (*workspaceOutput, error) {
	w, err := s.workspaces.read(ctx, s.chat)
	if err != nil {
		return nil, err
	}
	out := &workspaceOutput{}
	b := &out.Body
	b.Name, b.Registration, b.Setup, b.Mail, b.Version, b.Features = w.Name, w.Registration, w.setup, s.chat.HasMail(), s.cfg.Version, s.features()
	b.Invitations = "everyone"
	if !s.chat.EveryoneInvites() {
		b.Invitations = "administrators"
	}
	b.SignIn = signIns{Password: s.chat.TakesPasswords(), Passkey: callerOf(ctx).site.Name != "", Providers: list(s.providers.List())}
	return out, nil
}

type changeWorkspaceInput struct {
	Body struct {
		Name         *string `json:"name,omitempty"`
		Registration *string `json:"registration,omitempty" doc:"invite, open or closed"`
		Icon         *string `json:"icon,omitempty" nullable:"true" doc:"id of a file; this server has none yet"`
	}
}

func (s *Server) changeWorkspace(ctx context.Context, in *changeWorkspaceInput) (*workspaceOutput, error) {
	ch := chat.WorkspaceChange{Name: in.Body.Name}
	if in.Body.Registration != nil {
		ch.Registration = new(chat.Registration(*in.Body.Registration))
	}
	if in.Body.Icon != nil {
		if _, err := s.chat.ChangeWorkspace(ctx, administrator(ctx), chat.WorkspaceChange{}); err != nil {
			return nil, err
		}
		return nil, chat.Errorf(chat.NotFound, "there is no such file")
	}
	if _, err := s.chat.ChangeWorkspace(ctx, administrator(ctx), ch); err != nil {
		return nil, err
	}
	s.note(callerOf(ctx), security.Entry{Event: security.WorkspaceChanged, Detail: strings.TrimSpace(noted(in.Body.Name, "name") + noted(in.Body.Registration, "registration"))})
	s.workspaces.forget()
	return s.getWorkspace(ctx, nil)
}

func noted(value *string, name string) string {
	if value == nil {
		return ""
	}
	return name + " " + *value + " "
}
