package config

import (
	"log/slog"
	"slices"
	"strings"
)

// oneOf takes upper case too.
func (r *reader) oneOf(name, value string, allowed ...string) string {
	lower := strings.ToLower(value)
	if !slices.Contains(allowed, lower) {
		r.refuse(name, value, "which is not known: write %s", alternatives(allowed))
	}
	return lower
}

func alternatives(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func (r *reader) level(value string) slog.Level {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	return levels[r.oneOf("LOG_LEVEL", value, "debug", "info", "warn", "error")]
}

// pairs refuses one half of what only works together.
func (r *reader) pairs(c Config) {
	r.both("TLS_CERT_FILE", c.TLSCertFile != "", "TLS_KEY_FILE", c.TLSKeyFile != "")
	r.both("ADMIN_USERNAME", c.AdminUsername != "", "ADMIN_PASSWORD", !c.AdminPassword.IsZero())
}

func (r *reader) both(one string, hasOne bool, other string, hasOther bool) {
	if !hasOne && hasOther {
		one, other = other, one
	}
	if hasOne != hasOther {
		r.complain("%s%s is set, but %[1]s%[3]s is not: set both or none", prefix, one, other)
	}
}

// distinct refuses one address for two services. Port 0 is never the same twice.
func (r *reader) distinct(c Config) {
	seen := map[string]string{}
	for _, l := range []struct{ name, address string }{
		{"LISTEN", c.Listen}, {"CONNECTOR_LISTEN", c.ConnectorListen}, {"METRICS_LISTEN", c.MetricsListen},
	} {
		if l.address == "" || strings.HasSuffix(l.address, ":0") {
			continue
		}
		if first, taken := seen[l.address]; taken {
			r.refuse(l.name, l.address, "which is also %s%s: choose another port", prefix, first)
		}
		seen[l.address] = l.name
	}
}

// unknown warns of variables that nobody reads: most are spelt wrong.
func (r *reader) unknown() {
	known := knownNames()
	var unknown []string
	for name := range r.values {
		if strings.HasPrefix(name, prefix) && !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		if near := nearest(name, known); near != "" {
			r.warn("%s is not a variable of Orbit, did you mean %s?", name, near)
		} else {
			r.warn("%s is not a variable of Orbit and changes nothing: `orbit serve --help` lists those that do.", name)
		}
	}
}

func knownNames() []string {
	var names []string
	for _, v := range append(Help(), AgentHelp()...) {
		names = append(names, v.Name)
	}
	for _, name := range secretNames() {
		names = append(names, name+fileSuffix)
	}
	return names
}

// nearest returns the name that a few keystrokes would make out of name, or "".
func nearest(name string, known []string) string {
	const fewKeystrokes = 4
	best, result := fewKeystrokes, ""
	for _, k := range known {
		if d := distance(name, k); d < best {
			best, result = d, k
		}
	}
	return result
}

// distance is Levenshtein's: how many letters to insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
