package server

import (
	"net/http"
	"slices"
)

// route is one row of the table: the only way for a path to be served.
type route struct {
	method, path string
	access       access
	handler      binding
	summary      string
	status       int // of success; 0: 200, or 204 without an answer
}

// access is what the guard of a route asks of a request.
type access int

const (
	anyone   access = iota // no credential is looked at
	signedIn               // a session, else 401
	itself                 // the handler asks for itself
)

const v1 = "/api/v1"

// routes is the table of contents.
func (s *Server) routes() []route {
	return slices.Concat(s.apiRoutes(), s.otherRoutes())
}

func (s *Server) apiRoutes() []route {
	return slices.Concat(s.userRoutes(), s.chatRoutes(), s.adminRoutes())
}

func (s *Server) userRoutes() []route {
	return []route{
		{"POST", v1 + "/users", anyone, typed(s.signUp), "Sign up", 201},
		{"POST", v1 + "/sessions", anyone, typed(s.logIn), "Log in", 201},
		{"GET", v1 + "/sessions", signedIn, typed(s.listSessions), "List one's own sessions", 0},
		{"DELETE", v1 + "/sessions/{id}", signedIn, typed(s.revokeSession), "Revoke a session of one's own", 0},
		{"DELETE", v1 + "/sessions/current", signedIn, typed(s.logOut), "Log out", 0},
		{"GET", v1 + "/me", signedIn, typed(s.me), "See oneself", 0},
		{"PATCH", v1 + "/me", signedIn, typed(s.updateMe), "Change one's profile", 0},
		{"PUT", v1 + "/me/password", signedIn, typed(s.changePassword), "Change one's password", 0},
		{"GET", v1 + "/users", signedIn, typed(s.listUsers), "Search the directory", 0},
		{"GET", v1 + "/users/{id}", signedIn, typed(s.getUser), "See a user", 0},
	}
}

func (s *Server) chatRoutes() []route {
	return []route{
		{"GET", v1 + "/chats", signedIn, typed(s.listChats), "List one's chats, the newest activity first", 0},
		{"POST", v1 + "/chats", signedIn, typed(s.createChat), "Create a chat", 201},
		{"GET", v1 + "/chats/public", signedIn, typed(s.listPublicChats), "Browse public chats", 0},
		{"GET", v1 + "/chats/{id}", signedIn, typed(s.getChat), "See a chat", 0},
		{"PATCH", v1 + "/chats/{id}", signedIn, typed(s.updateChat), "Rename or archive a chat", 0},
		{"POST", v1 + "/chats/{id}/join", signedIn, typed(s.joinChat), "Join a public chat", 200},
		{"GET", v1 + "/chats/{id}/members", signedIn, typed(s.listMembers), "List members", 0},
		{"POST", v1 + "/chats/{id}/members", signedIn, typed(s.addMember), "Add a member", 201},
		{"PATCH", v1 + "/chats/{id}/members/{user_id}", signedIn, typed(s.updateMember), "Change a role, or mute for oneself", 0},
		{"DELETE", v1 + "/chats/{id}/members/{user_id}", signedIn, typed(s.removeMember), "Remove a member, or leave", 0},

		{"GET", v1 + "/chats/{id}/messages", signedIn, typed(s.listMessages), "Read the history", 0},
		{"POST", v1 + "/chats/{id}/messages", signedIn, typed(s.sendMessage), "Send a message", 201},
		{"GET", v1 + "/messages/{id}", signedIn, typed(s.getMessage), "See a message", 0},
		{"GET", v1 + "/messages/{id}/timeline", signedIn, typed(s.getTimeline), "See when a message passed each stage of its way, for administrators", 0},
		{"PATCH", v1 + "/messages/{id}", signedIn, typed(s.editMessage), "Edit a message", 0},
		{"DELETE", v1 + "/messages/{id}", signedIn, typed(s.deleteMessage), "Delete a message", 0},
		{"GET", v1 + "/messages/{id}/reactions/{emoji}", signedIn, typed(s.listReactors), "List who reacted", 0},
		{"PUT", v1 + "/messages/{id}/reactions/{emoji}", signedIn, typed(s.react), "React", 0},
		{"DELETE", v1 + "/messages/{id}/reactions/{emoji}", signedIn, typed(s.unreact), "Take a reaction back", 0},

		{"PUT", v1 + "/chats/{id}/cursor", signedIn, typed(s.setCursor), "Move one's cursor", 0},
		{"GET", v1 + "/chats/{id}/cursors", signedIn, typed(s.listCursors), "List the members' cursors", 0},
		{"POST", v1 + "/chats/{id}/typing", signedIn, typed(s.postTyping), "Say that one types, or stopped", 0},
		{"GET", v1 + "/presence", signedIn, typed(s.getPresence), "See who is here, of those whom one shares a chat with", 0},
		{"PUT", v1 + "/presence", signedIn, typed(s.putPresence), "Set one's presence", 200},
		{"GET", v1 + "/search", signedIn, typed(s.searchMessages), "Search the messages of one's chats", 0},
		{"GET", v1 + "/chats/{id}/events", signedIn, typed(s.listEvents), "Read the log", 0},
		{"GET", v1 + "/events", itself, stream(http.HandlerFunc(s.serveEvents)), "Follow every chat (SSE)", 0},
	}
}

func (s *Server) otherRoutes() []route {
	return []route{
		{"GET", "/ws", itself, plain(http.HandlerFunc(s.serveWebSocket)), "The WebSocket", 0},
		{"GET", "/livez", anyone, plain(http.HandlerFunc(s.health.livez)), "Whether the process turns", 0},
		{"GET", "/readyz", anyone, plain(http.HandlerFunc(s.health.readyz)), "Whether this node can take traffic", 0},
		{"GET", "/health/simple", anyone, plain(http.HandlerFunc(s.health.simple)), "The same in one word", 0},
		{"GET", "/health", anyone, plain(http.HandlerFunc(s.health.full)), "How the parts are", 0},
		{"GET", "/openapi.json", anyone, plain(http.HandlerFunc(s.serveOpenAPI)), "This API as an OpenAPI document", 0},
		{"GET", "/asyncapi.json", anyone, plain(http.HandlerFunc(s.serveAsyncAPI)), "The WebSocket as an AsyncAPI document", 0},
		{"GET", "/docs", anyone, plain(http.HandlerFunc(s.serveDocs)), "Both documents to read", 0},
	}
}
