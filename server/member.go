package server

import (
	"context"

	"fechatter/chat"
)

// memberView is a member; muted and hidden are present only for the viewer's own.
type memberView struct {
	chat.Member
	Muted  *bool `json:"muted,omitempty"`
	Hidden *bool `json:"hidden,omitempty"`
}

func viewMember(m chat.Member, viewerID string) memberView {
	v := memberView{Member: m}
	if m.UserID == viewerID {
		v.Muted, v.Hidden = &m.Muted, &m.Hidden
	}
	return v
}

type listMembersInput struct {
	IDInput
	PageInput
}

type membersOutput struct {
	Body struct {
		Members []memberView `json:"members"`
		Next    string       `json:"next,omitempty"`
	}
}

func (s *Server) listMembers(ctx context.Context, in *listMembersInput) (*membersOutput, error) {
	me := callerOf(ctx).userID()
	members, next, err := s.chat.Members(ctx, me, in.ID, in.page())
	out := &membersOutput{}
	out.Body.Members, out.Body.Next = []memberView{}, next
	for _, m := range members {
		out.Body.Members = append(out.Body.Members, viewMember(m, me))
	}
	return out, err
}

type addMemberInput struct {
	IDInput
	Body struct {
		UserID string    `json:"user_id" required:"true"`
		Role   chat.Role `json:"role,omitempty" doc:"defaults to member; at most your own"`
	}
}

type memberOutput struct {
	Status int
	Body   memberView
}

func (s *Server) addMember(ctx context.Context, in *addMemberInput) (*memberOutput, error) {
	me := callerOf(ctx).userID()
	if err := s.chargePeople(me, 1); err != nil {
		return nil, err
	}
	m, added, err := s.chat.AddMember(ctx, me, in.ID, in.Body.UserID, in.Body.Role)
	if err != nil {
		return nil, err
	}
	out := &memberOutput{Status: 200, Body: viewMember(m, me)}
	if added {
		out.Status = 201
	} else {
		s.refundPeople(me, 1)
	}
	if added && m.Role != chat.RoleMember {
		s.noteRole(ctx, in.ID, m)
	}
	return out, nil
}

// MemberInput names a member of a chat.
type MemberInput struct {
	IDInput
	UserID string `path:"user_id"`
}

type updateMemberInput struct {
	MemberInput
	Body struct {
		Role   *chat.Role `json:"role,omitempty" doc:"by admins, or to step down"`
		Muted  *bool      `json:"muted,omitempty" doc:"for yourself; private"`
		Hidden *bool      `json:"hidden,omitempty" doc:"for yourself; private: out of your list of chats until the next message"`
	}
}

func (s *Server) updateMember(ctx context.Context, in *updateMemberInput) (*memberOutput, error) {
	me, b := callerOf(ctx).userID(), in.Body
	m, err := s.chat.UpdateMember(ctx, me, in.ID, in.UserID, chat.MemberChange{Role: b.Role, Muted: b.Muted, Hidden: b.Hidden})
	if err == nil && b.Role != nil {
		s.noteRole(ctx, in.ID, m)
	}
	if err == nil && (b.Muted != nil || b.Hidden != nil) {
		err = s.tellMembership(me, in.ID, membershipOf(m))
	}
	return &memberOutput{Status: 200, Body: viewMember(m, me)}, err
}

type seqOutput struct {
	Body struct {
		Seq int64 `json:"seq,omitempty" doc:"of the event; missing when nothing changed"`
	}
}

func seqOf(seq int64, err error) (*seqOutput, error) {
	out := &seqOutput{}
	out.Body.Seq = seq
	return out, err
}

func (s *Server) removeMember(ctx context.Context, in *MemberInput) (*seqOutput, error) {
	return seqOf(s.chat.RemoveMember(ctx, callerOf(ctx).userID(), in.ID, in.UserID))
}
