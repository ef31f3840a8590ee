package chat

import (
	"slices"
	"strings"
	"time"
)

// maxZoneName bounds the name of a time zone, in bytes; the longest has 32.
const maxZoneName = 64

// zoneNamed returns the time zone with an IANA name, UTC for "", and nil if it is not known here:
// a browser may be newer than the zones of this machine. Errors: bad_request for what is no name.
func zoneNamed(name string) (*time.Location, error) {
	if name != "" && !isZoneName(name) {
		return nil, Errorf(BadRequest, "tz must be the name of a time zone, such as Europe/Berlin")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, nil //nolint:nilerr // known or not is all there is to know
	}
	return zone, nil
}

// isZoneName reports whether name may be that of a zone of the IANA. Machines keep other files
// beside those: their own zone, which is nobody else's, and zones that count leap seconds.
func isZoneName(name string) bool {
	parts := strings.Split(name, "/")
	others := []string{"Local", "localtime", "posixrules", "Factory", "posix", "right", "SystemV"}
	return len(name) <= maxZoneName && !slices.Contains(others, parts[0]) &&
		!slices.ContainsFunc(parts, func(part string) bool { return part == "" || strings.ContainsFunc(part, isNoZoneRune) }) &&
		(name[0] < '0' || name[0] > '9') && name[0] != '+' && name[0] != '-' && name[0] != '_'
}

func isNoZoneRune(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '+' && r != '-'
}
