package server

import (
	"context"
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"fechatter/chat"
)

// Presence knows who is here, on this node and on others. Its methods may be called
// concurrently.
type Presence interface {
	// Join adds a connection of a user, without waiting. push receives the presence
	// that the connection watches, and must not block. Leave ends it, once.
	Join(userID string, push func([]chat.Presence)) Device
	// Read returns the presence of those users with whom the viewer shares a chat.
	Read(ctx context.Context, viewerID string, userIDs []string) ([]chat.Presence, error)
	// Set stores a user's own setting.
	Set(ctx context.Context, userID string, state chat.PresenceState) error
	// ProfileChanged reports that a user's status was changed.
	ProfileChanged(userID string)
}

// Device is one connection's part in Presence.
type Device interface {
	Active() // the person did something
	Watch(ctx context.Context, userIDs []string) ([]chat.Presence, error)
	// Recheck ends the watch of those whom the user may not watch any longer.
	Recheck(ctx context.Context) error
	Leave()
}

// arrive joins the connection's device, unless the connection has ended meanwhile.
func (c *connection) arrive(userID string) {
	d := c.server.presence.Join(userID, c.pushPresence)
	c.mu.Lock()
	ended := c.closed
	if !ended {
		c.device = d
	}
	c.mu.Unlock()
	if ended {
		d.Leave()
	}
}

// depart is called once the connection has ended.
func (c *connection) depart() {
	c.mu.Lock()
	d := c.device
	c.device = nil
	c.mu.Unlock()
	if d != nil {
		d.Leave()
	}
}

// acted notes that the person did something.
func (c *connection) acted() {
	c.mu.Lock()
	d := c.device
	c.mu.Unlock()
	if d != nil {
		d.Active()
	}
}

// pushPresence sends the presence of users whom the client watches. Under load it
// only notes whose, to be read when there is time.
func (c *connection) pushPresence(users []chat.Presence) {
	if !c.holdPresence(users) {
		c.sendPresence(users)
	}
}

func (c *connection) holdPresence(users []chat.Presence) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.server.drops(shedPresence) {
		return false
	}
	if c.held == nil {
		c.held = map[string]struct{}{}
	}
	for _, p := range users {
		if len(c.held) < chat.MaxPresences {
			c.held[p.UserID] = struct{}{}
		}
	}
	return true
}

// releasePresence sends the current presence of those whose news was held back. The
// tier has ended by then, so that nothing more is. The connections take turns, as
// after a restart: the load has only just gone down.
func (c *connection) releasePresence() {
	c.mu.Lock()
	ids := slices.Collect(maps.Keys(c.held))
	c.held = nil
	c.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	c.do(func(ctx context.Context) {
		leave, err := c.server.realtime.resumes.computing.enter(ctx, c.user())
		if err != nil {
			return
		}
		defer leave()
		ctx, cancel := context.WithTimeout(ctx, commandTimeout)
		defer cancel()
		users, err := c.server.presence.Read(ctx, c.user(), ids)
		if err != nil {
			c.server.log.Warn("read presence again", "error", err)
			return
		}
		c.send(pushFrame{Op: "presence", D: presenceData{Users: users}}) // never dropped: nothing else makes up for it
	})
}

func (c *connection) sendPresence(users []chat.Presence) {
	data, err := encode(pushFrame{Op: "presence", D: presenceData{Users: users}})
	if err != nil {
		c.server.log.Error("encode push", "op", "presence", "error", err)
		return
	}
	c.socket.SendEphemeral("presence", data)
}

// presenceData is the payload of the push presence, and of answers about presence.
type presenceData struct {
	Users []chat.Presence `json:"users"`
}

type watchPayload struct {
	UserIDs []string `json:"user_ids" required:"true" maxItems:"500"`
}

func (c *connection) watchPresence(ctx context.Context, in watchPayload) (presenceData, error) {
	c.mu.Lock()
	device := c.device
	c.mu.Unlock()
	if device == nil {
		return presenceData{}, chat.Errorf(chat.Unavailable, "this connection is closing")
	}
	users, err := device.Watch(ctx, in.UserIDs)
	return presenceData{Users: list(users)}, err
}

type statePayload struct {
	State chat.PresenceState `json:"state" required:"true" enum:"online,away,dnd,invisible"`
}

func (c *connection) setPresence(ctx context.Context, in statePayload) (nothing, error) {
	c.acted()
	return nothing{}, c.server.presence.Set(ctx, c.user(), in.State)
}

func (c *connection) activity(context.Context, nothing) (nothing, error) {
	c.acted()
	return nothing{}, nil
}

type presenceOutput struct {
	Body presenceData
}

type getPresenceInput struct {
	UserIDs []string `query:"user_id,explode" maxItems:"500" doc:"one or more"`
}

// Resolve refuses an empty id.
func (in *getPresenceInput) Resolve(ctx huma.Context) []error { return refuseEmpty(ctx, "user_id") }

func (s *Server) getPresence(ctx context.Context, in *getPresenceInput) (*presenceOutput, error) {
	users, err := s.presence.Read(ctx, callerOf(ctx).userID(), in.UserIDs)
	return &presenceOutput{presenceData{Users: list(users)}}, err
}

type putPresenceInput struct {
	Body struct {
		State chat.PresenceState `json:"state" required:"true"`
	}
}

// putPresence answers with the caller's presence as they now see it themselves.
func (s *Server) putPresence(ctx context.Context, in *putPresenceInput) (*presenceOutput, error) {
	user := callerOf(ctx).userID()
	if err := s.presence.Set(ctx, user, in.Body.State); err != nil {
		return nil, err
	}
	users, err := s.presence.Read(ctx, user, []string{user})
	return &presenceOutput{presenceData{Users: list(users)}}, err
}
