package chat

import (
	"strings"
	"testing"
	"time"
)

func TestZoneNames(t *testing.T) {
	for _, name := range []string{"", "UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "America/Port-au-Prince", "Etc/GMT+5", "EST5EDT", "Zulu"} {
		if zone, err := zoneNamed(name); err != nil || zone == nil || zone == time.Local {
			t.Errorf("%s: %v, %v", name, zone, err)
		}
	}
	for _, name := range []string{"Local", "localtime", "posixrules", "Factory", "right/UTC", "posix/Europe/Berlin", "right", "SystemV/PST8", "/etc/localtime", "../zone", "Europe/../UTC",
		"Europe//Berlin", "Europe/", "zone.tab", "tzdata.zi", "+VERSION", "+02:00", "-5", "2", "Europe/Ber lin", "Europe/Bérlin", "UTC\x00", "Europe\\Berlin", strings.Repeat("x", 65)} {
		if _, err := zoneNamed(name); CodeOf(err) != BadRequest {
			t.Errorf("%q passes: %v", name, err)
		}
	}
}

// TestUnknownZone: a browser may know zones that are newer than this program. Only what asks for
// their days fails.
func TestUnknownZone(t *testing.T) {
	const newer = "Mars/Olympus_Mons"
	for q, want := range map[string]Code{"x": "", "x from:ada": "", "on:tomorrow": "", "x on:2026-01-31": BadRequest, "before:2026-01-31": BadRequest, "after:2026-01-31": BadRequest} {
		if _, err := (SearchRequest{Q: q, TZ: newer}).parse(); CodeOf(err) != want {
			t.Errorf("%s: %v", q, err)
		}
		if _, err := (SearchRequest{Q: q, TZ: "right/UTC"}).parse(); CodeOf(err) != BadRequest {
			t.Errorf("%s in what is no zone: %v", q, err)
		}
	}
}
