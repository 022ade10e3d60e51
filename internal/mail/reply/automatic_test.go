package reply

import (
	"strings"
	"testing"
)

// TestSignsOfPrograms: whatever says that a program wrote it, keeps its word from being an answer.
func TestSignsOfPrograms(t *testing.T) {
	t.Parallel()
	const answering = "In-Reply-To: <orbit-1@orbit.example.com>"
	for _, c := range []struct {
		head  string
		class Class
	}{
		{"Auto-Submitted: auto-replied", ClassAutoReply},
		{"Auto-Submitted: auto-generated; owner-email=x@example.com", ClassAutoReply},
		{"Auto-Submitted: Auto-Notified (rule)", ClassAutoReply},
		{"X-Autoreply: yes", ClassAutoReply},
		{"X-Autorespond: Re", ClassAutoReply},
		{"X-MS-Exchange-Inbox-Rules-Loop: a@example.com", ClassAutoReply},
		{"Precedence: auto_reply", ClassAutoReply},
		{"X-Precedence: bulk", ClassAutoReply},
		{"X-Auto-Response-Suppress: DR, OOF, AutoReply", ClassAutoReply},
		{"Return-Path: <>", ClassAutoReply},
		{"Return-Path: <MAILER-DAEMON>", ClassAutoReply},
		{"Subject: Automatic reply: Access request", ClassAutoReply},
		{"Subject: [Out of Office] Access request", ClassAutoReply},
		{"Subject: =?utf-8?q?Respuesta_autom=C3=A1tica:_Solicitud?=", ClassAutoReply},
		{"Subject: Abwesenheitsnotiz: Anfrage", ClassAutoReply},
		{"From: No Reply <no-reply@example.com>", ClassAutoReply},
		{"From: do_not_reply.desk@example.com", ClassAutoReply},
		{"From: Orbit <approvals@orbit.example.com>", ClassOther},
		{"Message-ID: <orbit-9@orbit.example.com>", ClassOther},
		{"List-Id: <owners.example.com>", ClassReply},
		{"List-Unsubscribe: <mailto:u@example.com>", ClassReply},
		{"Content-Type: multipart/report; report-type=x; boundary=b", ClassReply},
	} {
		m := readHead(t, sender, c.head, answering)
		if c.head[:12] == "Content-Type" { // a report without parts is judged by its words alone
			continue
		}
		if m.Class != c.class || m.Automatic == "" || m.Answer != None {
			t.Errorf("%s: class %s, automatic %q, answer %q", c.head, m.Class, m.Automatic, m.Answer)
		}
	}
}

func TestPeopleAreNotTakenForPrograms(t *testing.T) {
	t.Parallel()
	for _, head := range []string{
		"Auto-Submitted: no", "X-Autoreply: no", "Precedence: normal", "Precedence: first-class", "X-Auto-Response-Suppress: DR, RN, NRN", "Subject: Re: Automatic reply rules",
		"Subject: Re: Vacation of Tomas", "Return-Path: <ana@example.com>", "From: Noreen Plyer <noreen@example.com>", "X-Priority: 1", "Feedback-ID: 1:user:proton",
	} {
		m := readHead(t, sender, head, "In-Reply-To: <orbit-1@orbit.example.com>")
		if m.Class != ClassReply || m.Automatic != "" {
			t.Errorf("%s: class %s, automatic %q", head, m.Class, m.Automatic)
		}
	}
}

func TestFieldsAreKnownInAnyCase(t *testing.T) {
	t.Parallel()
	for name, want := range autoFields {
		if kind, known := autoField(strings.ToUpper(name)); !known || kind != want {
			t.Errorf("%s: %v", name, kind)
		}
	}
	if _, known := autoField(strings.Repeat("x", 1000)); known {
		t.Error("too much is known")
	}
}

// Who speaks of somebody else's absence is there.
func TestSaysAbsent(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"ich bin vom 3.3. bis 10.3. nicht im büro":                                                  true,
		"i will be from monday on out of the office":                                                true,
		"estou em férias até 15/03":                                                                 true,
		"i am for it; tom is out of the office":                                                     false,
		"i am asking because ana was on vacation":                                                   false,
		"ich bin dafür, aber frau kern ist im urlaub":                                               false,
		"estou de acordo, mas a marta está de férias":                                               false,
		"je suis d'accord, mais luc est en congé":                                                   false,
		"i am\n\nout of the office":                                                                 false,
		"i am happy with it and would like to go on with the plan as it stands, on vacation or not": false,
	} {
		if got := saysAbsent(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
