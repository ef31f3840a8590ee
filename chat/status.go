package chat

// maxStatusText is in characters.
const maxStatusText = 140

// Status is what a user says of themselves, for a while or until they change it.
type Status struct {
	StatusText  string `json:"status_text"`
	StatusEmoji string `json:"status_emoji,omitempty"`
	StatusUntil Time   `json:"status_until,omitzero" doc:"when it is gone; missing if it stays"`
}

// At returns the status as it is at a time: none, once its end has come.
func (s Status) At(now Time) Status {
	if s.StatusUntil != 0 && s.StatusUntil <= now {
		return Status{}
	}
	return s
}

// StatusChange is a change to a status; nil leaves a field alone, but for the end: that of
// a status is not that of the next.
type StatusChange struct {
	StatusText, StatusEmoji *string
	StatusUntil             *Time
}

// Any reports whether it changes anything.
func (c StatusChange) Any() bool {
	return c.StatusText != nil || c.StatusEmoji != nil || c.StatusUntil != nil
}

// After returns what a status becomes.
func (c StatusChange) After(s Status) Status {
	if c.StatusText != nil {
		s.StatusText, s.StatusUntil = *c.StatusText, 0
	}
	if c.StatusEmoji != nil {
		s.StatusEmoji, s.StatusUntil = *c.StatusEmoji, 0
	}
	if c.StatusUntil != nil {
		s.StatusUntil = *c.StatusUntil
	}
	if s.StatusText == "" && s.StatusEmoji == "" {
		s.StatusUntil = 0
	}
	return s
}

// cleaned returns the change as it is stored. Errors: bad_request.
func (c StatusChange) cleaned(now Time) (StatusChange, error) {
	if c.StatusText != nil {
		text, err := cleanText("status_text", *c.StatusText, maxStatusText)
		if err != nil {
			return c, err
		}
		c.StatusText = &text
	}
	if c.StatusEmoji != nil && *c.StatusEmoji != "" {
		emoji, err := validEmoji(*c.StatusEmoji)
		if err != nil {
			return c, Errorf(BadRequest, "status_emoji must be one emoji")
		}
		c.StatusEmoji = &emoji
	}
	if c.StatusUntil != nil && *c.StatusUntil <= now {
		return c, Errorf(BadRequest, "status_until must be in the future")
	}
	return c, nil
}
