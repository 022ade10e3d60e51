package plan

import (
	"os"
	"strings"
	"testing"
)

func TestServersMayHaveCertificatesOfTheirOwn(t *testing.T) {
	t.Parallel()
	const office = "--provider microsoft365 --tenant-id t --oauth2-client-id x --oauth2-client-secret y "
	files := Options{ReadFile: func(path string) ([]byte, error) {
		if path != "/etc/office.pem" {
			return nil, os.ErrNotExist
		}
		return []byte("the authorities\n"), nil
	}}
	for args, want := range map[string]Listener{
		"--ca-file /etc/office.pem": {ServerCA: "the authorities"},
		"--pin-sha256 AB:CD":        {ServerPin: "AB:CD"},
		"--ca-file=  --pin-sha256=": {},
	} {
		p, err := Register(strings.Fields(office+args), files)
		if err != nil {
			t.Errorf("%s: %v", args, err)
		}
		for _, l := range p.Listeners {
			if l.ServerCA != want.ServerCA || l.ServerPin != want.ServerPin {
				t.Errorf("%s: %+v", args, l)
			}
		}
	}
	for args, want := range map[string]string{
		"--ca-file /etc/office.pem --pin-sha256 ab": "not both", "--ca-file /nowhere.pem": "could not be read",
	} {
		if _, err := Register(strings.Fields(office+args), files); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
	if _, err := Register(strings.Fields(office+"--ca-file /etc/office.pem"), Options{}); err == nil || !strings.Contains(err.Error(), "not read from here") {
		t.Errorf("a path of the server is read for a page: %v", err)
	}
}

func TestExportSaysWhichCertificateIsExpected(t *testing.T) {
	t.Parallel()
	text, notes := Export(nil, []Listener{{Protocol: IMAP, LocalPort: 1, ServerCA: "x"}, {Protocol: SMTP, LocalPort: 2, ServerPin: "abcd"}}, redirectURI)
	if len(notes) != 2 || !strings.Contains(text, "SSL_CERT_FILE") || !strings.Contains(text, "fingerprint abcd") {
		t.Errorf("%s\n%v", text, notes)
	}
}
