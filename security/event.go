package security

import (
	"log/slog"
	"slices"
)

// Event names what happened. Names are stable: whoever watches a deployment has rules
// made of them.
type Event string

// The events. Kinds says of each who causes it and what an entry of it holds.
const (
	LogInSucceeded  Event = "login.succeeded"
	LogInChallenged Event = "login.challenged"
	LogInFailed     Event = "login.failed"
	LogInThrottled  Event = "login.throttled"
	LoggedOut       Event = "logout"

	SignedUp        Event = "signup.succeeded"
	SignUpThrottled Event = "signup.throttled"

	SignUpRefused Event = "signup.refused"

	Invited             Event = "invitation.made"
	InvitationWithdrawn Event = "invitation.withdrawn"
	WorkspaceChanged    Event = "workspace.changed"
	ResetRequested      Event = "reset.requested"
	ResetIssued         Event = "reset.issued"
	PasswordReset       Event = "password.reset"
	EmailGiven          Event = "email.given"
	EmailConfirmed      Event = "email.confirmed"

	SessionRevoked  Event = "session.revoked"
	ProviderRefused Event = "provider.refused"
	ProviderLogOut  Event = "provider.logout"
	IdentityLinked  Event = "identity.linked"

	FactorSet     Event = "factor.set"
	FactorRemoved Event = "factor.removed"
	FactorRefused Event = "factor.refused"

	PasswordChanged Event = "password.changed"
	PasswordRefused Event = "password.refused"
	AccountDeleted  Event = "account.deleted"
	RoleChanged     Event = "role.changed"

	Appointed       Event = "administrator.appointed"
	Dismissed       Event = "administrator.dismissed"
	Suspended       Event = "user.suspended"
	Restored        Event = "user.restored"
	SessionsRevoked Event = "sessions.revoked"
	RetentionSet    Event = "retention.set"
	ChatDeleted     Event = "chat.deleted"
	JobRevived      Event = "job.revived"
	JobDropped      Event = "job.dropped"
	AccessRefused   Event = "administration.refused"
	BotMade         Event = "bot.made"
	KeyMade         Event = "key.made"
	KeyRevoked      Event = "key.revoked"
	UserMade        Event = "user.made"
	HookMade        Event = "hook.made"
	HookDropped     Event = "hook.dropped"
	Acted           Event = "acted.as"

	LimitHit      Event = "limit.hit"
	OriginRefused Event = "origin.refused"
	HostRefused   Event = "host.refused"
	BusRefused    Event = "bus.refused"
)

// Kind is what is known of an event beforehand.
type Kind struct {
	Event Event
	Level slog.Level
	// Lines is how many of its lines a node writes in a minute, because whoever causes
	// it can do so at will; more are counted. 0: every one is written.
	Lines int
	// Fields are those that an entry may have; those that are empty are left out.
	Fields  []string
	Meaning string
}

// Lines a minute of an event that anybody can cause, and of one that costs a password
// check each time.
const (
	linesOfAnybody = 300
	linesOfUsers   = 3000
)

// Kinds returns all events, in the order in which docs/operations.md lists them.
func Kinds() []Kind {
	const info, warn = slog.LevelInfo, slog.LevelWarn
	who := []string{"address", "user", "session"}
	with := func(more ...string) []string { return append(slices.Clip(who), more...) }
	return []Kind{
		{LogInSucceeded, info, linesOfUsers, with("detail"), "a log-in by `detail`; `session` is the new one"},
		{LogInChallenged, info, linesOfUsers, []string{"address", "user"}, "a right password; the second factor is still due"},
		{LogInFailed, warn, linesOfAnybody, []string{"address", "user"}, "wrong name or password, or suspended; `user` only if the name is one"},
		{LogInThrottled, warn, linesOfAnybody, with("limit"), "too many log-ins, or changes of passwords"},
		{LoggedOut, info, linesOfUsers, who, "a user ended their own session"},
		{SignedUp, info, linesOfUsers, []string{"address", "user"}, "a new user"},
		{SignUpThrottled, warn, linesOfAnybody, []string{"address", "limit"}, "too many sign-ups"},
		{SessionRevoked, info, linesOfUsers, with("subject"), "a user ended another session of theirs, `subject`"},
		{ProviderRefused, warn, linesOfAnybody, []string{"address", "user", "detail"}, "a log-in or logout by a provider, `detail`, was not good or allowed"},
		{ProviderLogOut, info, linesOfUsers, []string{"address", "subject", "detail"}, "a provider ended sessions of `subject`; `detail`: which, and how many"},
		{IdentityLinked, warn, linesOfUsers, []string{"address", "user", "detail"}, "an account was linked to a provider, `detail`, by its address"},
		{FactorSet, info, linesOfUsers, with("detail"), "a user set up `detail`: one-time codes or a passkey"},
		{FactorRemoved, warn, linesOfUsers, with("detail"), "a user removed `detail`"},
		{FactorRefused, warn, linesOfAnybody, with("detail"), "after a right password, or in a session, a wrong code or passkey: `detail`"},
		{PasswordChanged, info, linesOfUsers, who, "a user changed their password; their other sessions end"},
		{PasswordRefused, warn, linesOfAnybody, who, "a wrong current password at a change, or a deletion of the account"},
		{AccountDeleted, warn, linesOfUsers, with("detail"), "a user deleted their account; all their sessions, `detail`, ended"},
		{SignUpRefused, warn, linesOfAnybody, []string{"address"}, "a sign-up without the invitation or the setup code that it takes"},
		{PasswordReset, warn, linesOfUsers, []string{"address", "user"}, "a user chose a new password by a link; all their sessions ended"},
		{ResetRequested, info, linesOfAnybody, []string{"address"}, "somebody asked for a link to a new password"},
		{ResetIssued, warn, 0, with("subject"), "an administrator made a link to a new password for `subject`"},
		{EmailGiven, info, linesOfUsers, who, "a user gave an address, which is to be confirmed"},
		{EmailConfirmed, info, linesOfUsers, who, "a user showed that an address is theirs"},
		{Invited, info, linesOfUsers, with("subject"), "a user made an invitation, `subject`"},
		{InvitationWithdrawn, info, linesOfUsers, with("subject"), "a user or an administrator withdrew an invitation, `subject`"},
		{WorkspaceChanged, warn, 0, with("detail"), "an administrator changed the workspace to `detail`"},
		{RoleChanged, info, linesOfAnybody, with("chat", "subject", "detail"), "a member, `subject`, got the role `detail`"},
		{Appointed, warn, 0, with("subject"), "`subject` became an administrator"},
		{Dismissed, warn, 0, with("subject"), "`subject` is no longer an administrator"},
		{Suspended, warn, 0, with("subject"), "an administrator suspended `subject`"},
		{Restored, warn, 0, with("subject"), "an administrator lifted a suspension"},
		{SessionsRevoked, warn, 0, with("subject", "detail"), "an administrator ended all sessions, `detail`, of `subject`"},
		{RetentionSet, warn, 0, with("chat", "detail"), "an administrator set the days, `detail`, that messages are kept"},
		{ChatDeleted, warn, 0, with("chat"), "an administrator deleted a chat"},
		{JobRevived, warn, 0, with("detail"), "an administrator had a dead job, `detail`, tried again"},
		{JobDropped, warn, 0, with("detail"), "an administrator gave a dead job, `detail`, up"},
		{BotMade, warn, linesOfUsers, with("subject"), "somebody made a bot, `subject`"},
		{KeyMade, warn, linesOfUsers, with("subject", "detail"), "somebody made a key with the scopes `detail` for the bot `subject`"},
		{KeyRevoked, warn, linesOfUsers, with("subject"), "somebody revoked a key of the bot `subject`"},
		{UserMade, info, linesOfUsers, with("subject"), "an application made the user `subject`"},
		{HookMade, info, linesOfUsers, with("chat", "subject"), "an admin of a chat made a hook, which posts as `subject`"},
		{HookDropped, info, linesOfUsers, with("chat"), "an admin of a chat deleted a hook"},
		{Acted, info, linesOfUsers, with("subject", "detail"), "a bot, `user`, did `detail` in the name of `subject`"},
		{AccessRefused, warn, linesOfAnybody, with("detail"), "somebody else used an administrators' route, `detail`"},
		{LimitHit, warn, linesOfAnybody, with("limit"), "too much at once of what `limit` bounds"},
		{OriginRefused, warn, linesOfAnybody, []string{"address", "detail"}, "another site's page, `detail`, used the server from a browser"},
		{HostRefused, warn, linesOfAnybody, []string{"address", "detail"}, "a foreign host, `detail`: DNS rebinding, or a proxy that drops it"},
		{BusRefused, warn, linesOfAnybody, []string{"detail"}, "on the bus, what no node of this deployment sent; `detail`: why"},
	}
}
