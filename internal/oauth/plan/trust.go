package plan

import (
	"strings"

	"orbit/internal/problem"
)

// Trust makes all listeners expect a certificate of their servers that the system's authorities know nothing of: one
// from an authority of the administrator's own, in a file, or the one with a fingerprint. Both blank changes nothing.
// For email-oauth2-proxy the first of them is the environment variable SSL_CERT_FILE.
func (p *Plan) Trust(caFile, pin string, o Options) error {
	caFile, pin = strings.TrimSpace(caFile), strings.TrimSpace(pin)
	switch {
	case caFile != "" && pin != "":
		return problem.Refuse("give --ca-file or --pin-sha256, not both")
	case caFile == "" && pin == "":
		return nil
	}
	authorities := ""
	if caFile != "" {
		content, err := readFile(o, "--ca-file", caFile)
		if err != nil {
			return err
		}
		authorities = strings.TrimSpace(content)
	}
	for i := range p.Listeners {
		p.Listeners[i].ServerCA, p.Listeners[i].ServerPin = authorities, pin
	}
	return nil
}

// readFile reads what a flag names, where files may be read.
func readFile(o Options, flag, path string) (string, error) {
	if o.ReadFile == nil {
		return "", problem.Refuse("%s: files are not read from here; enter the contents at the registration or the listener.", flag)
	}
	content, err := o.ReadFile(path)
	if err != nil {
		return "", problem.Refuse("%s: %s could not be read: %v", flag, path, err)
	}
	return string(content), nil
}
