package server

import (
	"context"
	"slices"

	"fechatter/chat"
)

// UserInput names another user.
type UserInput struct {
	UserID string `path:"user_id"`
}

func (s *Server) listBlocks(ctx context.Context, in *PageInput) (*usersOutput, error) {
	users, next, err := s.chat.Blocked(ctx, callerOf(ctx).userID(), in.page())
	out := &usersOutput{}
	out.Body.Users, out.Body.Next = list(users), next
	return out, err
}

func (s *Server) block(ctx context.Context, in *UserInput) (*struct{}, error) {
	return nil, s.chat.Block(ctx, callerOf(ctx).userID(), in.UserID)
}

func (s *Server) unblock(ctx context.Context, in *UserInput) (*struct{}, error) {
	return nil, s.chat.Unblock(ctx, callerOf(ctx).userID(), in.UserID)
}

// readBlocks reads whom the user has blocked, for what this node shows them. changed
// reports whether the connection knew something else.
func (c *connection) readBlocks(ctx context.Context) (changed bool, err error) {
	ids, err := c.server.chat.BlockedIDs(ctx, c.user())
	if err != nil {
		return false, err
	}
	slices.Sort(ids)
	changed = !slices.Equal(ids, c.blocked)
	c.blocked = ids
	c.server.hints.blocks.set(c.user(), c, ids)
	c.mu.Lock()
	ended := c.closed
	c.mu.Unlock()
	if ended { // Closed may have released it before
		c.server.hints.blocks.release(c.user(), c)
	}
	return changed, nil
}

// blockChanged follows the personal events block.added and block.removed: what this
// connection may see is read again before the client hears of it.
func (c *connection) blockChanged(ctx context.Context, op chat.Op, otherID string) {
	if _, err := c.readBlocks(ctx); err != nil {
		c.fail(ctx, "read blocks", err)
		return
	}
	c.mu.Lock()
	device := c.device
	c.mu.Unlock()
	if device != nil {
		if err := device.Recheck(ctx); err != nil {
			c.fail(ctx, "recheck presence", err)
			return
		}
	}
	c.send(pushFrame{Op: string(op), D: chat.BlockChanged{UserID: otherID}})
}
