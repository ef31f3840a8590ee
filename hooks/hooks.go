// Package hooks reads what programs send to Slack's incoming webhooks and turns it into a
// message in Markdown. It knows nothing of chats, users or HTTP: bytes in, text out.
package hooks

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Message is what a payload says.
type Message struct {
	Body string // Markdown
	// As whom it wants to appear; each may be empty.
	Username, IconEmoji, IconURL string
}

// The refusals, in Slack's words.
var (
	ErrPayload = errors.New("invalid_payload") // not what a webhook takes
	ErrNoText  = errors.New("no_text")         // nothing of it can be shown
)

// What of a payload is drawn; Slack allows as much.
const (
	maxBlocks      = 50
	maxAttachments = 20
	maxFields      = 50
	maxElements    = 50
	maxDepth       = 8 // of rich text
)

// payload is Slack's format.
type payload struct {
	Text        loose        `json:"text"`
	Username    loose        `json:"username"`
	IconEmoji   loose        `json:"icon_emoji"`
	IconURL     loose        `json:"icon_url"`
	Attachments []attachment `json:"attachments"`
	Blocks      []block      `json:"blocks"`
	Mrkdwn      *bool        `json:"mrkdwn"`
}

// loose is a text that some programs send as a number or a truth.
type loose string

// UnmarshalJSON implements json.Unmarshaler.
func (l *loose) UnmarshalJSON(data []byte) error {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
	case string:
		*l = loose(v)
	case float64, bool:
		*l = loose(data)
	default:
		return ErrPayload
	}
	return nil
}

// Document returns the JSON of a request's body: the body itself, or, of a form, its field
// payload. curl calls JSON a form unless it is told otherwise. Errors: ErrPayload.
func Document(body []byte, form bool) ([]byte, error) {
	text := strings.TrimSpace(string(body))
	if form && !strings.HasPrefix(text, "{") {
		values, err := url.ParseQuery(text)
		if err != nil || values.Get("payload") == "" {
			return nil, ErrPayload
		}
		text = values.Get("payload")
	}
	if !utf8.ValidString(text) || !json.Valid([]byte(text)) {
		return nil, ErrPayload
	}
	return []byte(text), nil
}

// Read returns the message that a payload is, in at most most bytes. known reports whether a
// username is that of somebody who can be mentioned. Errors: ErrPayload, ErrNoText.
func Read(document []byte, most int, known func(username string) bool) (Message, error) {
	var p payload
	if err := json.Unmarshal(document, &p); err != nil {
		return Message{}, ErrPayload
	}
	w := newWriter(known)
	w.payload(p)
	body := clip(w.String(), most)
	if body == "" {
		return Message{}, ErrNoText
	}
	return Message{Body: body, Username: line(string(p.Username)), IconEmoji: strings.Trim(line(string(p.IconEmoji)), ":"), IconURL: webAddress(string(p.IconURL))}, nil
}

// clip cuts a text between two lines or characters, and says so.
func clip(text string, most int) string {
	const more, end = "\n…", "\n```"
	if len(text) <= most {
		return text
	}
	text = text[:most-len(more)-len(end)]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	if i := strings.LastIndexByte(text, '\n'); i > most/2 {
		text = text[:i]
	}
	if strings.Count(text, "```")%2 == 1 { // the cut is in a block of code, which must end
		text += end
	}
	return text + more
}

// line returns a text as one line.
func line(text string) string { return strings.Join(strings.Fields(text), " ") }

// webAddress returns an address if a browser may go there, else "".
func webAddress(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return u.String()
}
