package server

import (
	"net/http"

	"fechatter/chat"
	"fechatter/door"
)

// crowded turns away the requests of sockets that got no place. What machines ask to see
// whether the node lives is answered all the same.
func (s *Server) crowded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket := door.Of(r.Context())
		socket.For(AddressOf(s.client(r)))
		if socket.Refused() && !isProbe(r.URL.Path) {
			e := chat.Errorf(chat.Overloaded, "this node has no place for another connection")
			e.RetryAfter = fullRetry
			refuse(w, r, e)
			return
		}
		next.ServeHTTP(w, r)
	})
}
