package notify

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"orbit/internal/notify/text"
	"orbit/internal/vault"
)

// A message with a link that decides something is kept sealed: who reads the database cannot decide with it.

// confidence is what is sealed of a message before it is rendered.
type confidence struct {
	Values text.Values `json:"values"`
	Hidden []string    `json:"hidden"` // what pages do not show
}

func (s *Service) sealValues(id int64, c confidence) ([]byte, error) {
	encoded, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return s.box.Seal(vault.NewSecret(string(encoded)), place(id, "values"))
}

func (s *Service) openConfidence(id int64, sealed []byte) (confidence, error) {
	var c confidence
	secret, err := s.box.Open(sealed, place(id, "values"))
	if err != nil {
		return c, fmt.Errorf("open the values of message %d: %w", id, err)
	}
	return c, json.Unmarshal([]byte(secret.Reveal()), &c)
}

// openValues returns the values of a confidential message as JSON.
func (s *Service) openValues(it *item) ([]byte, error) {
	c, err := s.openConfidence(it.ID, it.SealedValues)
	if err != nil {
		return nil, err
	}
	return json.Marshal(c.Values)
}

// stored is the raw message as the table keeps it.
func (s *Service) stored(it *item) ([]byte, error) {
	if !it.Confidential {
		return it.Raw, nil
	}
	return s.box.Seal(vault.NewSecret(string(it.Raw)), place(it.ID, "raw"))
}

// unsealRaw turns what the table keeps into what is sent.
func (s *Service) unsealRaw(it *item) error {
	if !it.Confidential {
		return nil
	}
	secret, err := s.box.Open(it.Raw, place(it.ID, "raw"))
	if err != nil {
		return fmt.Errorf("open message %d: %w", it.ID, err)
	}
	it.Raw = []byte(secret.Reveal())
	return nil
}

// webhookPlace is where the secret of a webhook belongs: a changed URL does not open it.
func webhookPlace(id int64, url string) vault.Binding {
	return vault.Binding{Table: "webhook", Row: id, Destination: url}
}

// webhookKey opens the secret of a webhook.
func (s *Service) webhookKey(m outgoing) ([]byte, error) {
	secret, err := s.box.Open(m.Secret, webhookPlace(m.WebhookID, m.URL))
	if err != nil {
		return nil, fmt.Errorf("open the secret of webhook %d: %w", m.WebhookID, err)
	}
	return decodeWebhookSecret(secret)
}

// decodeWebhookSecret reads "whsec_" and base64, as receivers' libraries have it.
func decodeWebhookSecret(secret vault.Secret) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.Reveal(), secretPrefix))
	if err != nil {
		return nil, errors.New("the secret of a webhook is not whsec_ and base64")
	}
	return key, nil
}
