package chat

import "time"

// farewellLasts is for how long a provider's farewell is remembered: longer than one is
// believed.
const farewellLasts = time.Hour

// Provider is a way to sign in, as the page shows it.
type Provider struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Flow is what a browser keeps while somebody is at a provider, sealed.
type Flow struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // of PKCE
	ReturnTo string `json:"return_to"`
	Device   string `json:"device"`
	Until    int64  `json:"until"` // seconds since 1970
}
