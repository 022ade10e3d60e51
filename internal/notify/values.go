package notify

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"orbit/internal/notify/text"
)

// textKey is the text that tells contacts of an event type. What approvers and requesters get has texts of its own,
// which internal/approval names.
func textKey(kind string) string {
	if _, ok := text.Find(kind); ok {
		return kind
	}
	if rest, ok := strings.CutPrefix(kind, "certificate.expiring_"); ok {
		if strings.HasSuffix(rest, "_consolidated") {
			return "certificate.expiring_consolidated"
		}
		return "certificate.expiring"
	}
	if strings.HasPrefix(kind, "access_request.") {
		return "access_request.decided"
	}
	return kind // an own type, or one told with the words of "other"
}

// language returns one of those that there are texts in.
func language(name string) string {
	for _, l := range text.Languages() {
		if string(l) == name {
			return name
		}
	}
	return string(text.English)
}

// happened is an event as a text tells of it.
type happened struct {
	kind EventType
	data map[string]any
	at   time.Time
}

// values turns an event into what tags stand for.
func (s *Service) values(h happened, recipient string, zone *time.Location) text.Values {
	v := text.Values{}
	for name, value := range h.data {
		if tag, ok := value.(string); ok && strings.HasPrefix(name, "url_") {
			v.SetLink(text.TagName(strings.TrimPrefix(name, "url_")), tag)
			continue
		}
		v[text.TagName(name)] = tagValue(h.kind, name, value)
	}
	for _, edge := range []string{"start", "end"} {
		at := v[text.TagName(edge+"_datetime")]
		for _, suffix := range []string{"_DATETIME_STR", "_DATE", "_TIME"} {
			v[text.TagName(edge)+suffix] = at
		}
	}
	v["EVENT"], v["EVENT_TIME"], v["EVENT_DATA"] = text.Value{Text: h.kind.Title}, text.Value{Time: h.at}, text.Value{List: h.lines()}
	v["RECIPIENT"], v["TIME_ZONE"] = text.Value{Text: recipient}, text.Value{Text: zone.String()}
	v["URL_ORBIT"] = text.Value{URL: s.baseURL.String()}
	if _, given := v["APPROVER"]; !given {
		v["APPROVER"] = text.Value{Text: recipient}
	}
	return v
}

// tagValue is a member of an event's data in the form that its field has.
func tagValue(kind EventType, name string, value any) text.Value {
	switch value := value.(type) {
	case []any:
		list := make([]string, len(value))
		for i, item := range value {
			list[i] = plain(item)
		}
		return text.Value{List: list}
	case []string:
		return text.Value{List: value}
	case time.Time:
		return text.Value{Time: value}
	case string:
		for _, f := range kind.Fields {
			if f.Name == name && f.Kind == TimeField {
				at, err := time.Parse(time.RFC3339, value)
				if err == nil {
					return text.Value{Time: at}
				}
			}
		}
	}
	return text.Value{Text: plain(value)}
}

// plain writes a value of JSON as people would.
func plain(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

// lines tells each field of the data.
func (h happened) lines() []string {
	var lines []string
	for _, name := range sortedKeys(h.data) {
		v := tagValue(h.kind, name, h.data[name])
		if !v.Time.IsZero() {
			v.Text = v.Time.UTC().Format("2006-01-02 15:04 MST")
		}
		if len(v.List) > 0 {
			v.Text = strings.Join(v.List, ", ")
		}
		if v.Text != "" {
			lines = append(lines, name+": "+v.Text)
		}
	}
	return lines
}
