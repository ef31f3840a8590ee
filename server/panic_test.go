package server

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// faulty runs a server whose every use case panics, for it has no store.
func faulty(t *testing.T) string { return listen(t, over(t, nil)) }

func TestPanicOfAConnectionIsContained(t *testing.T) {
	url := faulty(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dial := func(token string) *websocket.Conn {
		ws, _, err := websocket.Dial(ctx, strings.Replace(url, "http", "ws", 1)+"/ws",
			&websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}})
		if err != nil {
			t.Fatal(err)
		}
		return ws
	}
	ws := dial(wellFormedToken) // the welcome panics
	if _, _, err := ws.Read(ctx); websocket.CloseStatus(err) != closeTryLater {
		t.Errorf("the connection ended with %v", err)
	}
	ws = dial("x") // a command panics
	defer func() { _ = ws.CloseNow() }()
	for range 2 {
		command := `{"id":"1","op":"auth","d":{"token":"` + wellFormedToken + `"}}`
		if err := ws.Write(ctx, websocket.MessageText, []byte(command)); err != nil {
			t.Fatal(err)
		}
		_, answer, err := ws.Read(ctx)
		if err != nil || !strings.Contains(string(answer), `"code":"internal"`) || !strings.Contains(string(answer), `"re":"1"`) {
			t.Fatalf("answered %s, %v", answer, err)
		}
	}
}
