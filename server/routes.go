package server

import (
	"net/http"
	"slices"

	"fechatter/chat"
)

// route is one row of the table: the only way to serve a path.
type route struct {
	method, path string
	access       access
	budget       budget
	handler      binding
	summary      string
	status       int // of success; 0: 200, or 204 without an answer
}

// access is what the guard of a route demands of a request.
type access int

const (
	anyone   access = iota // credentials are ignored
	signedIn               // a session, else 401; no key, else 403
	itself                 // the handler authenticates
)

// A session, or a key with the scope that the name says.
const (
	forRead access = 1<<8 | access(iota) // in the order of the scopes
	forSend
	forManage
	forSearch
	_
	forAdmin
)

// unready lets in, too, whoever must set up a second factor first: they get 403 elsewhere.
const unready access = 1 << 6

const settingUp = signedIn | unready

// identified reports whether the guard finds out who asks.
func (a access) identified() bool { return a&^unready == signedIn || a >= forRead }

// scope returns the scope that a key needs; 0 where no key may ask.
func (a access) scope() chat.Scopes {
	if a < forRead {
		return 0
	}
	return 1 << (a&^unready - forRead)
}

const v1 = "/api/v1"

// routes is the table of contents.
func (s *Server) routes() []route {
	return slices.Concat(s.apiRoutes(), s.otherRoutes())
}

func (s *Server) apiRoutes() []route {
	return slices.Concat(s.userRoutes(), s.entranceRoutes(), s.signInRoutes(), s.chatRoutes(), s.fileRoutes(), s.programRoutes(), s.hookRoutes(), s.adminRoutes())
}

func (s *Server) userRoutes() []route {
	return []route{
		{"POST", v1 + "/users", anyone, ofSignUps, typed(s.signUp), "Sign up", 201},
		{"POST", v1 + "/sessions", anyone, ofLogIns, typed(s.logIn), "Log in", 201},
		{"GET", v1 + "/sessions", signedIn, ofRequests, typed(s.listSessions), "List your sessions", 0},
		{"DELETE", v1 + "/sessions/{id}", signedIn, ofRequests, typed(s.revokeSession), "Revoke one of your sessions", 0},
		{"DELETE", v1 + "/sessions/current", settingUp, ofRequests, typed(s.logOut), "Log out", 0},
		{"GET", v1 + "/me", forRead | unready, ofRequests, typed(s.me), "Get your profile", 0},
		{"PATCH", v1 + "/me", signedIn, ofRequests, typed(s.updateMe), "Change your profile", 0},
		{"DELETE", v1 + "/me", signedIn, ofRequests, typed(s.deleteMe), "Delete your account: its sessions end, what you wrote stays", 0},
		{"PUT", v1 + "/me/password", signedIn, ofRequests, typed(s.changePassword), "Change your password", 0},
		{"GET", v1 + "/me/blocks", signedIn, ofRequests, typed(s.listBlocks), "List whom you have blocked", 0},
		{"PUT", v1 + "/me/blocks/{user_id}", signedIn, ofRequests, typed(s.block), "Block a user: no direct chats, invitations, typing, presence or mentions of theirs", 204},
		{"DELETE", v1 + "/me/blocks/{user_id}", signedIn, ofRequests, typed(s.unblock), "Unblock a user", 0},
		{"GET", v1 + "/users", forRead, ofRequests, typed(s.listUsers), "Search the directory, or get users by id", 0},
		{"GET", v1 + "/users/{id}", forRead, ofRequests, typed(s.getUser), "Get a user", 0},
	}
}

func (s *Server) signInRoutes() []route {
	return []route{
		{"POST", v1 + "/me/totp", settingUp, ofRequests, typed(s.beginTOTP), "Make a secret for one-time codes, in force once its first code is confirmed", 200},
		{"POST", v1 + "/me/totp/confirm", settingUp, ofRequests, typed(s.confirmTOTP), "Confirm it by a code; the answer has the recovery codes", 200},
		{"DELETE", v1 + "/me/totp", settingUp, ofRequests, typed(s.removeTOTP), "End one-time codes and recovery codes", 0},
		{"GET", v1 + "/me/passkeys", settingUp, ofRequests, typed(s.listPasskeys), "List your passkeys", 0},
		{"POST", v1 + "/me/passkeys/options", settingUp, ofRequests, typed(s.beginPasskey), "Begin to make a passkey", 200},
		{"POST", v1 + "/me/passkeys", settingUp, ofRequests, typed(s.addPasskey), "Add the passkey that was made", 201},
		{"DELETE", v1 + "/me/passkeys/{id}", settingUp, ofRequests, typed(s.deletePasskey), "Delete one of your passkeys", 0},
		{"POST", v1 + "/sessions/passkey/options", anyone, unlimited, typed(s.beginPasskeyLogIn), "Begin to log in by a passkey", 200},
		{"POST", v1 + "/sessions/passkey", anyone, ofLogIns, typed(s.logInByPasskey), "Log in by a passkey", 201},
		{"GET", v1 + "/auth/{provider}", anyone, unlimited, typed(s.beginProvider), "Go to an identity provider to log in", 303},
		{"GET", v1 + "/auth/{provider}/callback", anyone, ofLogIns, typed(s.finishProvider), "Come back from one, logged in", 303},
		{"POST", v1 + "/auth/{provider}/logout", anyone, unlimited, formed(s.farewell), "End the sessions of somebody who logged out at a provider (back-channel logout)", 200},
	}
}

func (s *Server) chatRoutes() []route {
	return []route{
		{"GET", v1 + "/chats", forRead, ofRequests, typed(s.listChats), "List your chats, most recently active first", 0},
		{"POST", v1 + "/chats", forManage, ofRequests, typed(s.createChat), "Create a chat", 201},
		{"GET", v1 + "/chats/public", forRead, ofRequests, typed(s.listPublicChats), "Browse public chats", 0},
		{"GET", v1 + "/chats/{id}", forRead, ofRequests, typed(s.getChat), "Get a chat", 0},
		{"PATCH", v1 + "/chats/{id}", forManage, ofRequests, typed(s.updateChat), "Rename or archive a chat", 0},
		{"POST", v1 + "/chats/{id}/join", forManage, ofRequests, typed(s.joinChat), "Join a public chat", 200},
		{"POST", v1 + "/chats/{id}/accept", forManage, ofRequests, typed(s.acceptChat), "Accept a request: a chat into which a stranger put you", 200},
		{"GET", v1 + "/chats/{id}/members", forRead, ofRequests, typed(s.listMembers), "List members", 0},
		{"POST", v1 + "/chats/{id}/members", forManage, ofRequests, typed(s.addMember), "Add a member", 201},
		{"PATCH", v1 + "/chats/{id}/members/{user_id}", forManage, ofRequests, typed(s.updateMember), "Change a member's role, or mute or hide the chat for yourself", 0},
		{"DELETE", v1 + "/chats/{id}/members/{user_id}", forManage, ofRequests, typed(s.removeMember), "Remove a member, or leave", 0},

		{"GET", v1 + "/chats/{id}/messages", forRead, ofRequests, typed(s.listMessages), "Read the history", 0},
		{"POST", v1 + "/chats/{id}/messages", forSend, ofMessages, typed(s.sendMessage), "Send a message", 201},
		{"GET", v1 + "/messages/{id}", forRead, ofRequests, typed(s.getMessage), "Get a message", 0},
		{"GET", v1 + "/messages/{id}/timeline", forAdmin, ofRequests, typed(s.getTimeline), "Get the times at which a message passed each stage; for administrators", 0},
		{"PATCH", v1 + "/messages/{id}", forSend, ofRequests, typed(s.editMessage), "Edit a message", 0},
		{"DELETE", v1 + "/messages/{id}", forSend, ofRequests, typed(s.deleteMessage), "Delete a message", 0},
		{"GET", v1 + "/messages/{id}/reactions/{emoji}", forRead, ofRequests, typed(s.listReactors), "List who reacted", 0},
		{"PUT", v1 + "/messages/{id}/reactions/{emoji}", forSend, ofRequests, typed(s.react), "Add a reaction", 0},
		{"DELETE", v1 + "/messages/{id}/reactions/{emoji}", forSend, ofRequests, typed(s.unreact), "Remove your reaction", 0},

		{"PUT", v1 + "/chats/{id}/cursor", forRead, ofRequests, typed(s.setCursor), "Move your cursor", 0},
		{"GET", v1 + "/chats/{id}/cursors", forRead, ofRequests, typed(s.listCursors), "List the members' cursors", 0},
		{"POST", v1 + "/chats/{id}/typing", forSend, ofRequests, typed(s.postTyping), "Show that you are typing, or stopped", 0},
		{"POST", v1 + "/chats/{id}/signals", forSend, ofRequests, typed(s.postSignal), "Tell the members who are connected now something that is not stored", 0},
		{"GET", v1 + "/presence", forRead, ofRequests, typed(s.getPresence), "Get the presence of users you share a chat with", 0},
		{"PUT", v1 + "/presence", forSend, ofRequests, typed(s.putPresence), "Set your presence", 200},
		{"GET", v1 + "/search", forSearch, ofSearches, typed(s.searchMessages), "Search the messages of your chats", 0},
		{"GET", v1 + "/chats/{id}/events", forRead, ofRequests, typed(s.listEvents), "Read a chat's events", 0},
		{"GET", v1 + "/events", itself, ofResumes, stream(http.HandlerFunc(s.serveEvents)), "Follow all your chats (SSE)", 0},
	}
}

func (s *Server) otherRoutes() []route {
	return []route{
		{"GET", "/ws", itself, unlimited, plain(http.HandlerFunc(s.serveWebSocket)), "The WebSocket", 0},
		{"GET", "/livez", anyone, unlimited, plain(http.HandlerFunc(s.health.livez)), "Whether the process is alive", 0},
		{"GET", "/readyz", anyone, unlimited, plain(http.HandlerFunc(s.health.readyz)), "Whether this node can take traffic", 0},
		{"GET", "/health/simple", anyone, unlimited, plain(http.HandlerFunc(s.health.simple)), "The same in one word", 0},
		{"GET", "/health", anyone, unlimited, plain(http.HandlerFunc(s.health.full)), "The state of each part", 0},
		{"GET", "/openapi.json", anyone, unlimited, plain(http.HandlerFunc(s.serveOpenAPI)), "This API as an OpenAPI document", 0},
		{"GET", "/asyncapi.json", anyone, unlimited, plain(http.HandlerFunc(s.serveAsyncAPI)), "The WebSocket as an AsyncAPI document", 0},
		{"GET", "/docs", anyone, unlimited, plain(http.HandlerFunc(s.serveDocs)), "Both documents as a page", 0},
	}
}
