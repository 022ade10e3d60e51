package mailpage

import "testing"

func FuzzLetter(f *testing.F) {
	for _, seed := range []string{
		"Subject: x\r\n\r\ntext", "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\na\r\n--x--", "Content-Type: multipart/mixed\r\n\r\n",
		"Content-Type: text/html; charset=unknown\r\n\r\n<p>", "Content-Transfer-Encoding: base64\r\n\r\n!!", "no mail", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := read(raw)
		if l.Subject == "" || len(l.snippet()) > 4*120 {
			t.Errorf("%q gave %+v", raw, l)
		}
	})
}
