package hooks

import (
	"encoding/json"
	"strings"
)

// block is one of Slack's Block Kit. What it holds depends on its type, so that a part of
// another form than expected is passed over, and not the whole payload refused.
type block struct {
	Type     string          `json:"type"`
	Text     json.RawMessage `json:"text"` // an object, or in rich text just text
	Fields   []blockText     `json:"fields"`
	Elements []element       `json:"elements"`
	ImageURL loose           `json:"image_url"`
	AltText  loose           `json:"alt_text"`
	Title    json.RawMessage `json:"title"`

	Accessory *element `json:"accessory"`
}

type blockText struct {
	Type string `json:"type"`
	Text loose  `json:"text"`
}

// element is a part of a block: of a context, of actions, of rich text.
type element struct {
	Type     string          `json:"type"`
	Text     json.RawMessage `json:"text"`
	URL      loose           `json:"url"`
	ImageURL loose           `json:"image_url"`
	AltText  loose           `json:"alt_text"`
	Name     loose           `json:"name"` // of an emoji
	UserID   loose           `json:"user_id"`
	Range    loose           `json:"range"`
	Indent   int             `json:"indent"`
	Elements []element       `json:"elements"`

	Style json.RawMessage `json:"style"` // marks of a text, or the kind of a list
}

// writer gathers the parts of a message, each a paragraph.
type writer struct {
	known  func(username string) bool
	markup markup
	parts  []string
	lines  int    // how many parts there have been
	prefix string // of the next part
}

func newWriter(known func(username string) bool) *writer {
	return &writer{known: known, markup: newMarkup()}
}

// String returns the message.
func (w *writer) String() string { return strings.TrimSpace(strings.Join(w.parts, "\n")) }

// add adds a part, unless it draws nothing.
func (w *writer) add(part string) {
	if part = strings.Trim(part, "\n"); isBlank(part) {
		return
	}
	if w.prefix != "" {
		between := " "
		if strings.ContainsAny(part[:1], "`>-0123456789") { // these mean something where a line begins
			between = "\n"
		}
		part, w.prefix = w.prefix+between+part, ""
	}
	w.parts = append(w.parts, part)
	w.lines++
}

// payload writes everything. Blocks are drawn instead of the text, which is then for notices,
// as Slack does; attachments come below.
func (w *writer) payload(p payload) {
	w.blocks(p.Blocks)
	if w.lines == 0 {
		text := w.mrkdwn(string(p.Text))
		if p.Mrkdwn != nil && !*p.Mrkdwn {
			text = w.escapePlain(entities(string(p.Text)))
		}
		w.add(text)
	}
	for _, a := range cut(p.Attachments, maxAttachments) {
		if w.lines > 0 {
			w.parts = append(w.parts, "")
		}
		w.attachment(a)
	}
}

func (w *writer) blocks(list []block) {
	for _, b := range cut(list, maxBlocks) {
		w.block(b)
	}
}

func (w *writer) block(b block) {
	switch b.Type {
	case "header":
		w.add(strong(line(w.text(b.Text))))
	case "section":
		w.add(w.text(b.Text))
		for _, f := range cut(b.Fields, maxFields) {
			w.add(w.blockText(f))
		}
		if b.Accessory != nil {
			w.add(w.button(*b.Accessory))
		}
	case "divider":
		if w.lines > 0 {
			w.parts = append(w.parts, "", "---") // a rule; under a line alone it would make it a heading
		}
	case "context", "actions":
		var parts []string
		for _, e := range cut(b.Elements, maxElements) {
			if part := strings.TrimSpace(w.contextElement(e)); part != "" {
				parts = append(parts, part)
			}
		}
		w.add(strings.Join(parts, " · "))
	case "image":
		w.add(w.image(w.text(b.Title), string(b.AltText), string(b.ImageURL)))
	case "rich_text":
		w.add(w.richText(b.Elements, maxDepth))
	}
}

// text returns what a text object says.
func (w *writer) text(raw json.RawMessage) string {
	var t blockText
	if len(raw) == 0 || json.Unmarshal(raw, &t) != nil {
		return ""
	}
	return w.blockText(t)
}

func (w *writer) blockText(t blockText) string {
	if t.Type == "plain_text" {
		return w.escapePlain(string(t.Text))
	}
	return w.mrkdwn(string(t.Text))
}

func (w *writer) contextElement(e element) string {
	switch e.Type {
	case "mrkdwn", "plain_text":
		var text loose
		if json.Unmarshal(e.Text, &text) != nil {
			return ""
		}
		return line(w.blockText(blockText{e.Type, text}))
	case "image":
		return ""
	}
	return w.button(e)
}

// button returns a button that leads somewhere; what others do, nobody here can.
func (w *writer) button(e element) string {
	address := webAddress(string(e.URL))
	if address == "" {
		return ""
	}
	label := line(w.text(e.Text))
	if label == "" {
		return address
	}
	return link(label, address)
}

func (w *writer) image(title, alt, address string) string {
	to := webAddress(address)
	if to == "" {
		return w.escapePlain(alt)
	}
	if title = line(title); title == "" {
		title = line(alt)
	}
	if title == "" {
		return to
	}
	return link(unmentioned(title), to)
}
