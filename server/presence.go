package server

import (
	"context"
	"maps"
	"slices"

	"fechatter/chat"
)

// Presence knows who is here, on this node and the others. Its methods may be
// called concurrently.
type Presence interface {
	// Join says that a user has a connection; push tells the presence that it
	// watches, and must not block. It does not wait. The device is left once.
	Join(userID string, push func([]chat.Presence)) Device
	// Read answers of those whom the viewer shares a chat with.
	Read(ctx context.Context, viewerID string, userIDs []string) ([]chat.Presence, error)
	// Set makes a user's setting.
	Set(ctx context.Context, userID string, state chat.PresenceState) error
	// ProfileChanged says that a user's status text was changed.
	ProfileChanged(userID string)
}

// Device is one connection's part in Presence.
type Device interface {
	Active() // the person did something
	Watch(ctx context.Context, userIDs []string) ([]chat.Presence, error)
	Leave()
}

// arrive gives the connection its device, unless it has ended meanwhile.
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

// pushPresence is how the presence of those whom the client watches is told. Under
// load it is only noted of whom, to be read when there is time for it.
func (c *connection) pushPresence(users []chat.Presence) {
	if !c.holdPresence(users) {
		c.tellPresence(users)
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

// releasePresence tells how those are now whose news was held back. The tier has
// ended by then, so that nothing more is. The connections take turns, as after a
// restart: the load has only just gone down.
func (c *connection) releasePresence() {
	c.mu.Lock()
	ids := slices.Collect(maps.Keys(c.held))
	c.held = nil
	c.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	c.do(func(ctx context.Context) {
		leave, err := c.server.realtime.resumes.enter(ctx, c.user())
		if err != nil {
			return
		}
		defer leave()
		ctx, cancel := context.WithTimeout(ctx, commandTimeout)
		defer cancel()
		users, err := c.server.presence.Read(ctx, c.user(), ids)
		if err != nil {
			c.server.log.Warn("read presence again", "err", err)
			return
		}
		c.send(pushFrame{Op: "presence", D: presenceData{Users: users}}) // for certain: nothing else makes up for it
	})
}

func (c *connection) tellPresence(users []chat.Presence) {
	data, err := encode(pushFrame{Op: "presence", D: presenceData{Users: users}})
	if err != nil {
		c.server.log.Error("encode push", "op", "presence", "err", err)
		return
	}
	c.socket.SendEphemeral("presence", data)
}

// presenceData is what the push presence says, and the answers of those who ask.
type presenceData struct {
	Users []chat.Presence `json:"users"`
}

func (c *connection) presenceWatch(ctx context.Context, d []byte) (any, error) {
	var in watchPayload
	if err := decodeStrict(d, &in); err != nil {
		return nil, err
	}
	c.mu.Lock()
	device := c.device
	c.mu.Unlock()
	if device == nil {
		return nil, chat.Errorf(chat.Unavailable, "this connection is going")
	}
	users, err := device.Watch(ctx, in.UserIDs)
	return presenceData{Users: list(users)}, err
}

func (c *connection) presenceSet(ctx context.Context, d []byte) (any, error) {
	var in statePayload
	if err := decodeStrict(d, &in); err != nil {
		return nil, err
	}
	c.acted()
	return nothing{}, c.server.presence.Set(ctx, c.user(), in.State)
}

func (c *connection) activity(d []byte) (any, error) {
	c.acted()
	return nothing{}, decodeStrict(d, &nothing{})
}

type presenceOutput struct {
	Body presenceData
}

type getPresenceInput struct {
	UserIDs []string `query:"user_id,explode" maxItems:"500" doc:"one or more"`
}

func (s *Server) getPresence(ctx context.Context, in *getPresenceInput) (*presenceOutput, error) {
	users, err := s.presence.Read(ctx, callerOf(ctx).userID(), in.UserIDs)
	return &presenceOutput{presenceData{Users: list(users)}}, err
}

type putPresenceInput struct {
	Body struct {
		State chat.PresenceState `json:"state" required:"true"`
	}
}

// putPresence answers how one sees oneself then.
func (s *Server) putPresence(ctx context.Context, in *putPresenceInput) (*presenceOutput, error) {
	user := callerOf(ctx).userID()
	if err := s.presence.Set(ctx, user, in.Body.State); err != nil {
		return nil, err
	}
	users, err := s.presence.Read(ctx, user, []string{user})
	return &presenceOutput{presenceData{Users: list(users)}}, err
}
