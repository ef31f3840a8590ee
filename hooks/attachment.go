package hooks

import (
	"strconv"
	"strings"
)

// attachment is one of Slack's, as most programs send them.
type attachment struct {
	Fallback   loose   `json:"fallback"`
	Color      loose   `json:"color"`
	Pretext    loose   `json:"pretext"`
	AuthorName loose   `json:"author_name"`
	AuthorLink loose   `json:"author_link"`
	Title      loose   `json:"title"`
	TitleLink  loose   `json:"title_link"`
	Text       loose   `json:"text"`
	Fields     []field `json:"fields"`
	ImageURL   loose   `json:"image_url"`
	ThumbURL   loose   `json:"thumb_url"`
	Footer     loose   `json:"footer"`
	Actions    []struct {
		Text loose `json:"text"`
		URL  loose `json:"url"`
	} `json:"actions"`
	Blocks []block `json:"blocks"`
}

type field struct {
	Title loose `json:"title"`
	Value loose `json:"value"`
	Short any   `json:"short"` // some programs send it as text
}

func (w *writer) attachment(a attachment) {
	before := w.lines
	w.add(w.mrkdwn(string(a.Pretext)))
	w.add(labelled(string(a.AuthorName), string(a.AuthorLink), w.mrkdwn))
	authored := w.lines
	title := labelled(string(a.Title), string(a.TitleLink), w.mrkdwn)
	w.prefix = dot(string(a.Color))
	w.add(strong(title))
	w.add(w.mrkdwn(string(a.Text)))
	for _, f := range cut(a.Fields, maxFields) {
		w.field(w.mrkdwn(string(f.Title)), w.mrkdwn(string(f.Value)))
	}
	w.blocks(a.Blocks)
	if w.lines == authored {
		w.add(w.mrkdwn(string(a.Fallback)))
	}
	for _, address := range []loose{a.ImageURL, a.ThumbURL} {
		w.add(webAddress(string(address)))
	}
	var actions []string
	for _, action := range cut(a.Actions, maxElements) {
		if address := webAddress(string(action.URL)); address != "" {
			actions = append(actions, link(unmentioned(string(action.Text)), address))
		}
	}
	w.add(strings.Join(actions, " · "))
	w.prefix = ""
	if w.lines > before {
		w.add(italic(w.mrkdwn(string(a.Footer))))
	}
}

// labelled returns a text that leads to an address, if that is one.
func labelled(text, address string, markup func(string) string) string {
	to := webAddress(address)
	if to == "" || strings.TrimSpace(text) == "" {
		return markup(text)
	}
	return link(unmentioned(entities(text)), to)
}

func (w *writer) field(title, value string) {
	title, value = strings.TrimSpace(title), strings.TrimSpace(value)
	switch {
	case title == "":
		w.add(value)
	case strings.Contains(value, "\n"):
		w.add(strong(title) + "\n" + value)
	default:
		w.add(strings.TrimSpace(strong(strings.TrimSuffix(title, ":")+":") + " " + value))
	}
}

func italic(text string) string {
	if text = strings.TrimSpace(text); text == "" || strings.ContainsAny(text, "_\n") {
		return text
	}
	return "_" + text + "_"
}

// dot stands for the coloured bar beside an attachment.
func dot(color string) string {
	switch color = strings.ToLower(strings.TrimSpace(color)); color {
	case "":
		return ""
	case "good":
		return "🟢"
	case "warning":
		return "🟡"
	case "danger":
		return "🔴"
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(color, "#"), 16, 32)
	if err != nil || len(strings.TrimPrefix(color, "#")) != 6 {
		return ""
	}
	const strongly = 40
	r, g, b := int(n>>16), int(n>>8&0xFF), int(n&0xFF) //nolint:gosec // at most 255
	switch {
	case r > b+strongly && g > b+strongly && r-g < 100 && g-r < 60:
		return "🟡"
	case r > g+strongly && r > b+strongly:
		return "🔴"
	case g > r+strongly && g > b:
		return "🟢"
	case b > r+strongly:
		return "🔵"
	}
	return "⚪"
}

func cut[T any](list []T, most int) []T { return list[:min(len(list), most)] }
