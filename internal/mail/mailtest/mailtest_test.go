package mailtest

import (
	"net/smtp"
	"strconv"
	"testing"
)

func TestPostfixPassesMailToTheSink(t *testing.T) {
	t.Parallel()
	p := Postfix(t, PostfixOptions{})
	err := smtp.SendMail("127.0.0.1:"+strconv.Itoa(p.Relay), nil, "a@example.com", []string{"b@example.net"},
		[]byte("Subject: x\r\n\r\nHello\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if m := p.Sink.Next(t); m.From != "a@example.com" || len(m.To) != 1 {
		t.Errorf("%+v", m)
	}
}
