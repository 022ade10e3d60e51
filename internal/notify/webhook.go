package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"orbit/internal/problem"
	"orbit/internal/vault"
)

// Webhooks keep to Standard Webhooks (standardwebhooks.com): the body is signed together with its id and the time
// of the attempt, so that a receiver can tell what is ours, what is late and what it has had before.

const (
	webhookTime   = 15 * time.Second
	webhookTries  = 125     // by the schedule of retryAfter that is five days
	maxAnswer     = 2 << 10 // what the log keeps of an answer
	secretPrefix  = "whsec_"
	secretBytes   = 32
	userAgentName = "Orbit-Webhooks"
)

// newWebhookMessage is a row of webhook_message.
type newWebhookMessage struct {
	webhookID, eventID int64
	id, kind           string
	body               []byte
}

// webhookMessage is what a webhook is told of an event.
func webhookMessage(p *posting, webhook int64) newWebhookMessage {
	body, _ := json.Marshal(struct { // of JSON that was decoded before
		Type string          `json:"type"`
		At   time.Time       `json:"timestamp"`
		Data json.RawMessage `json:"data"`
	}{p.event.Type, time.Now().UTC(), p.data})
	return newWebhookMessage{webhookID: webhook, eventID: p.accepted.ID, id: newWebhookID(), kind: p.event.Type, body: body}
}

func newWebhookID() string { return "msg_" + rand.Text() }

// NewWebhookSecret makes a secret in the form that receivers' libraries take.
func NewWebhookSecret() vault.Secret {
	key := make([]byte, secretBytes)
	_, _ = rand.Read(key) // never fails
	return vault.NewSecret(secretPrefix + base64.StdEncoding.EncodeToString(key))
}

// webhookArgs brings one message to its webhook.
type webhookArgs struct {
	Message int64 `json:"message"`
}

// Kind implements river.JobArgs.
func (webhookArgs) Kind() string { return "notify_webhook" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (webhookArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueWebhooks, MaxAttempts: webhookTries}
}

func webhookJobs(messages []int64) []river.InsertManyParams {
	jobs := make([]river.InsertManyParams, len(messages))
	for i, id := range messages {
		jobs[i] = river.InsertManyParams{Args: webhookArgs{id}}
	}
	return jobs
}

type webhookWorker struct {
	river.WorkerDefaults[webhookArgs]
	*Service
}

// Timeout implements river.Worker.
func (*webhookWorker) Timeout(*river.Job[webhookArgs]) time.Duration { return 2 * webhookTime }

// NextRetry implements river.Worker.
func (*webhookWorker) NextRetry(job *river.Job[webhookArgs]) time.Time {
	return time.Now().Add(retryAfter(job.Attempt))
}

// Work implements river.Worker.
func (w *webhookWorker) Work(ctx context.Context, job *river.Job[webhookArgs]) error {
	m, err := beginWebhookAttempt(ctx, w.pool, job.Args.Message)
	if errors.Is(err, problem.ErrNotFound) { // the webhook was removed
		return nil
	}
	if err != nil {
		return err
	}
	status, answer, err := w.tell(ctx, m)
	last := job.Attempt >= job.MaxAttempts || status == http.StatusGone
	if storeErr := endWebhookAttempt(context.WithoutCancel(ctx), w.pool, m, status, answer, err, last); storeErr != nil {
		return errors.Join(err, storeErr)
	}
	if status == http.StatusGone { // the receiver asks for no more of them
		return nil
	}
	return err
}

// outgoing is a message on its way to a webhook.
type outgoing struct {
	ID                 int64  `db:"id"`
	Number             int    `db:"number"` // of the attempt
	WebhookID          int64  `db:"webhook_id"`
	MessageID          string `db:"message_id"`
	Body               string `db:"body"`
	URL                string `db:"url"`
	Secret             []byte `db:"secret"`
	Active             bool   `db:"active"`
	UseConnector       bool   `db:"use_network_connector"`
	NetworkConnectorID int64  `db:"network_connector_id"`
}

// tell posts a message. Any 2xx means that it was taken.
func (s *Service) tell(ctx context.Context, m outgoing) (status int, answer string, err error) {
	if !m.Active {
		return 0, "", errors.New("the webhook is disabled")
	}
	if s.client == nil {
		return 0, "", errors.New("webhooks are not set up in this Orbit")
	}
	client, err := s.client(ctx, m.UseConnector, m.NetworkConnectorID)
	if err != nil {
		return 0, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, webhookTime)
	defer cancel()
	request, err := s.webhookRequest(ctx, m, time.Now())
	if err != nil {
		return 0, "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // what there is of it
	answer = strings.ToValidUTF8(strings.ReplaceAll(string(text), "\x00", ""), "")
	if response.StatusCode/100 != 2 {
		return response.StatusCode, answer, fmt.Errorf("the webhook answered %s", response.Status)
	}
	return response.StatusCode, answer, nil
}

func (s *Service) webhookRequest(ctx context.Context, m outgoing, now time.Time) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader([]byte(m.Body)))
	if err != nil {
		return nil, err
	}
	key, err := s.webhookKey(m)
	if err != nil {
		return nil, err
	}
	timestamp := strconv.FormatInt(now.Unix(), 10)
	for name, value := range map[string]string{
		"Content-Type": "application/json", "User-Agent": userAgentName, "webhook-id": m.MessageID, "webhook-timestamp": timestamp,
		"webhook-signature": "v1," + sign(key, m.MessageID, timestamp, m.Body),
	} {
		request.Header.Set(name, value)
	}
	return request, nil
}

// sign is the signature of Standard Webhooks: HMAC-SHA256 over id, time and body.
func sign(key []byte, id, timestamp, body string) string {
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, id+"."+timestamp+"."+body) // a hash never fails
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
