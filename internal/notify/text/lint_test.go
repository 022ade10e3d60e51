package text

import (
	"strings"
	"testing"
)

func TestLint(t *testing.T) {
	t.Parallel()
	kind, _ := Find("access_request.created.approver")
	const links = "\n\n[#LINK_APPROVE#] [#URL_REJECT#]"
	for name, c := range map[string]struct {
		text     Text
		severity Severity
		field    string
		says     string
	}{
		"no subject":        {Text{" ", "x" + links}, Mistake, "subject", "Write a subject"},
		"two lines":         {Text{"a\nBcc: x", "x" + links}, Mistake, "subject", "one line"},
		"long subject":      {Text{strings.Repeat("a", 201), "x" + links}, Mistake, "subject", "at most 200"},
		"no message":        {Text{"a", ""}, Mistake, "message", "Write a message"},
		"unknown tag":       {Text{"a", "[#HOST#]" + links}, Mistake, "message", "no tag [#HOST#]"},
		"tag of others":     {Text{"a", "[#COMMONNAME#]" + links}, Mistake, "message", "no value in a text of the type Request Created: Approver"},
		"almost a tag":      {Text{"a", "[# device hostname #]" + links}, Mistake, "message", "write [#DEVICE_HOSTNAME#]"},
		"half a tag":        {Text{"a", "[#REASON]" + links}, Mistake, "message", "write [#REASON#]"},
		"link in subject":   {Text{"[#URL_APPROVE#]", "x" + links}, Mistake, "subject", "does not belong into a subject"},
		"one decision link": {Text{"a", "[#LINK_APPROVE#]"}, Mistake, "message", "[#LINK_REJECT#]"},
		"too large":         {Text{"a", strings.Repeat("word ", 25000) + links}, Mistake, "message", "shorten"},
		"password":          {Text{"a", "password: hunter2hunter2" + links}, Mistake, "message", "secret"},
		"private key":       {Text{"a", "-----BEGIN RSA PRIVATE KEY-----" + links}, Mistake, "message", "secret"},
		"token":             {Text{"a", "ghp_0123456789abcdefghijABCD" + links}, Mistake, "message", "secret"},
		"HTML":              {Text{"a", "<b>x</b>" + links}, Warning, "message", "Markdown"},
		"image":             {Text{"a", "![x](https://a.example/x.png)" + links}, Warning, "message", "loads nothing"},
		"script":            {Text{"a", "[x](javascript:alert)" + links}, Mistake, "message", "can't be clicked"},
		"link in the clear": {Text{"a", "[x](http://a.example)" + links}, Warning, "message", "not encrypted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := Lint(kind, c.text)
			if len(found) != 1 || found[0].Severity != c.severity || found[0].Field != c.field || !strings.Contains(found[0].Text, c.says) {
				t.Errorf("%v", found)
			}
		})
	}
	for _, fine := range []Text{
		{"a", "x" + links},
		{"[#DEVICE_HOSTNAME#]", "Password: [#REASON#], [x]([#URL_APPROVE#])" + links},
		{"a < b", "1 < 2 and \\*star\\*" + links},
	} {
		if found := Lint(kind, fine); len(found) > 0 {
			t.Errorf("%+v: %v", fine, found)
		}
	}
}

func TestOwnTypes(t *testing.T) {
	t.Parallel()
	kind := Own("backup.failed", "Backup failed", []string{"host_name", "tape-no"})
	words := Text{"Backup of [#HOST_NAME#]", "Tape [#TAPE_NO#]\n\n[#EVENT_DATA#]"}
	if found := Lint(kind, words); len(found) > 0 {
		t.Error(found)
	}
	got := Render(words, Values{}.SetText("HOST_NAME", "srv1", "TAPE_NO", "7"), Reader{})
	if got.Subject != "Backup of srv1" || got.Text != "Tape 7\n" || len(got.Unknown) != 0 {
		t.Errorf("%+v", got)
	}
	if Builtin("backup.failed", Spanish) != Builtin("other", Spanish) {
		t.Error("an own type has other words")
	}
}
