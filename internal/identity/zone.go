package identity

import (
	_ "embed"
	"strings"
	"sync"
)

// zones.txt holds the canonical zone names of the IANA time zone database, one a line. Go can load a zone by name
// but not list them.
//
//go:embed zones.txt
var zoneNames string

// TimeZones lists the names that a form offers, UTC first. Other names of the IANA database are accepted too.
var TimeZones = sync.OnceValue(func() []string {
	return append([]string{"UTC"}, strings.Fields(zoneNames)...)
})
