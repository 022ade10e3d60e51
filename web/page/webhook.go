package page

import "encoding/json"

// indented is JSON as people read it.
func indented(raw string) string {
	var value any
	if json.Unmarshal([]byte(raw), &value) != nil {
		return raw
	}
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return raw
	}
	return string(text)
}
