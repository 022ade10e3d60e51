package config

import (
	"slices"
	"strings"
	"testing"
)

func TestAnAgentNeedsAddressAndFingerprint(t *testing.T) {
	t.Parallel()
	_, err := loadAgent([]string{"HOME=/home/anna"}, anybody)
	if err == nil || strings.Count(err.Error(), "orbit network-connector setup") != 2 {
		t.Errorf("got %v", err)
	}
	a, err := loadAgent([]string{
		"HOME=/home/anna", "ORBIT_CONNECTOR_ADDRESSES=orbit.example.com,10.0.0.7:5000,[2001:db8::1]", "ORBIT_CONNECTOR_FINGERPRINT=ab",
		"ORBIT_CONNECTOR_TOKEN=geheim", "ORBIT_CONNECTOR_SECONDARY=TRUE", "ORBIT_CONNECTOR_NAME=lisbon",
	}, anybody)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"orbit.example.com:51445", "10.0.0.7:5000", "[2001:db8::1]:51445"}; !slices.Equal(a.Addresses, want) {
		t.Errorf("addresses %q", a.Addresses)
	}
	if !a.Secondary || a.Name != "lisbon" || a.Token.Reveal() != "geheim" || a.Directory != "/home/anna/.local/state/orbit-agent" {
		t.Errorf("%+v", a)
	}
}

func TestAWrongAgentVariableIsOneClearSentence(t *testing.T) {
	t.Parallel()
	for variable, says := range map[string]string{
		"ADDRESSES=https://orbit.example.com/": "which is not host:port: write something like orbit.example.com:51445",
		"SECONDARY=maybe":                      `ORBIT_CONNECTOR_SECONDARY is "maybe", which is not known: write true or false.`,
		"TOKEN_FILE=/nonexistent":              `ORBIT_CONNECTOR_TOKEN_FILE is "/nonexistent", which cannot be read`,
	} {
		_, err := loadAgent([]string{"HOME=/h", "ORBIT_CONNECTOR_FINGERPRINT=ab", "ORBIT_CONNECTOR_" + variable}, anybody)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", variable, err)
		}
	}
}
