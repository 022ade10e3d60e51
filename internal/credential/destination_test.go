package credential

import (
	"testing"
)

func office() Destination {
	return Destination{Host: "smtp.example.com", Port: 587, Username: "alerts@example.com", TLS: "tls", Certificate: "verify"}
}

func with(change func(*Destination)) Destination {
	d := office()
	change(&d)
	return d
}

func TestDestinationTextStaysTheSame(t *testing.T) {
	for want, d := range map[string]Destination{
		"self": Self,
		"host=smtp.example.com&port=587&username=alerts%40example.com&tls=tls&certificate=verify&connector=": office(),
		"host=2001%3Adb8%3A%3A1&port=25&username=a%26port%3D1&tls=&certificate=&connector=direct":            {Host: "[2001:DB8::1]", Port: 25, Username: "a&port=1"},
		"host=xn--mnchen-3ya.example&port=465&username=u&tls=ssl&certificate=pin%3Aab12&connector=":          {Host: "München.example.", Port: 465, Username: "u", TLS: "ssl", Certificate: "pin:AB12", Connector: "4"},
		"host=mail_relay.intern&port=587&username=u&tls=tls&certificate=ignore&connector=4":                  {Host: "mail_relay.INTERN", Port: 587, Username: "u", TLS: "tls", Certificate: "ignore", Connector: "4"},
		"host=no+host.-%00&port=-1&username=&tls=&certificate=&connector=direct":                             {Host: "No Host.-\x00", Port: -1},
		"host=192.0.2.1&port=25&username=&tls=tls&certificate=custom_ca%3A00ff&connector=":                   {Host: "::ffff:192.0.2.1", Port: 25, TLS: "tls", Certificate: " custom_ca:00FF "},
	} {
		if got := d.String(); got != want {
			t.Errorf("the text changed, stored secrets would not be found:\n got %s\nwant %s", got, want)
		}
		if back, ok := ParseDestination(want); !ok || back.String() != want {
			t.Errorf("%s reads back as %+v, %v", want, back, ok)
		}
	}
}

func TestSpellingMakesNoOtherDestination(t *testing.T) {
	for name, d := range map[string]Destination{
		"case":                         with(func(d *Destination) { d.Host = "SMTP.Example.COM" }),
		"dot at the end":               with(func(d *Destination) { d.Host = "smtp.example.com." }),
		"blanks":                       with(func(d *Destination) { d.Host = " smtp.example.com\t" }),
		"full width":                   with(func(d *Destination) { d.Host = "ｓｍｔｐ．example．com" }),
		"default rule":                 with(func(d *Destination) { d.Certificate = "" }),
		"connector of a proven server": with(func(d *Destination) { d.Connector = "7" }),
	} {
		if d.String() != office().String() {
			t.Errorf("%s: %s differs from %s", name, d, office())
		}
	}
}

func TestEveryPartMakesAnotherDestination(t *testing.T) {
	seen := map[string]string{office().String(): "the original", Self.String(): "self"}
	plain := with(func(d *Destination) { d.TLS = "" })
	ignored := with(func(d *Destination) { d.Certificate = "ignore" })
	for name, d := range map[string]Destination{
		"host":                 with(func(d *Destination) { d.Host = "smtp.attacker.example" }),
		"sub-domain":           with(func(d *Destination) { d.Host = "x.smtp.example.com" }),
		"port":                 with(func(d *Destination) { d.Port = 25 }),
		"no port":              with(func(d *Destination) { d.Port = 0 }),
		"username":             with(func(d *Destination) { d.Username = "Alerts@example.com" }),
		"implicit TLS":         with(func(d *Destination) { d.TLS = "ssl" }),
		"not encrypted":        plain,
		"pinned":               with(func(d *Destination) { d.Certificate = "pin:ab" }),
		"pinned other":         with(func(d *Destination) { d.Certificate = "pin:cd" }),
		"own CA":               with(func(d *Destination) { d.Certificate = "custom_ca:ab" }),
		"any certificate":      ignored,
		"plain by connector":   with(func(d *Destination) { d.TLS, d.Connector = "", "7" }),
		"ignored by connector": with(func(d *Destination) { d.Certificate, d.Connector = "ignore", "7" }),
		"injected":             with(func(d *Destination) { d.Host = "smtp.example.com&port=587&username=alerts@example.com" }),
		"self as host":         {Host: "self"},
	} {
		if other, ok := seen[d.String()]; ok {
			t.Errorf("%s gives the same text as %s: %s", name, other, d)
		}
		seen[d.String()] = name
	}
}

func TestPeopleReadWhereASecretGoes(t *testing.T) {
	for want, d := range map[string]Destination{
		"smtp.example.com:587, STARTTLS":                  office(),
		"[2001:db8::1]:25, not encrypted":                 {Host: "2001:db8::1", Port: 25},
		"smtp.example.com:465, TLS":                       with(func(d *Destination) { d.Port, d.TLS = 465, "ssl" }),
		"smtp.example.com:587, STARTTLS, any certificate": with(func(d *Destination) { d.Certificate = "ignore" }),
		"this Orbit": Self,
	} {
		if got := d.Label(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func FuzzDestinationTextIsUnambiguous(f *testing.F) {
	f.Add("smtp.example.com", 587, "alerts@example.com", "tls", "verify", "")
	f.Add("München.de.", -1, "a&b=c", "", "ignore", "7")
	f.Add("[::1]", 0, "\x00\xff", "ssl", "PIN:AB", "x")
	f.Fuzz(func(t *testing.T, host string, port int, username, tls, certificate, connector string) {
		d := Destination{Host: host, Port: port, Username: username, TLS: tls, Certificate: certificate, Connector: connector}
		back, ok := ParseDestination(d.String())
		if !ok || back.Port != port || back.Username != username || back.TLS != tls {
			t.Errorf("%+v became %s and came back as %+v, %v", d, d, back, ok)
		}
	})
}
