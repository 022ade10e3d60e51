package tunnel

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// version is that of the messages at the beginning of a stream.
const version = 1

// Request asks for a tunnel.
type Request struct {
	Host      string        `json:"host"` // a name, resolved at the far end, or a literal address
	Port      int           `json:"port"`
	Timeout   time.Duration `json:"timeout"`             // for everything up to the open connection
	Connector int64         `json:"connector,omitempty"` // between Orbit processes: through whose agents
}

// check refuses what no caller of ours asks for.
func (r Request) check() error {
	switch {
	case r.Host == "" || len(r.Host) > maxHost || r.Host != clean(r.Host) || strings.ContainsAny(r.Host, " /@[]"):
		return errors.New("the host is no host name")
	case r.Port < 1 || r.Port > 65535:
		return fmt.Errorf("%d is not a port", r.Port)
	case r.Timeout <= 0 || r.Timeout > maxDialTime:
		return fmt.Errorf("%s is no time to connect in", r.Timeout)
	}
	return nil
}

// Progress is a step of the far end on its way to the connection, in its own words.
type Progress struct {
	Step     string   `json:"step"`
	Title    string   `json:"title"`
	Text     string   `json:"text"`
	Notes    []string `json:"notes,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// answer is one message of the far end. The first says that the request has arrived; the last has Failure or
// Address.
type answer struct {
	TakenUp  string    `json:"taken_up,omitempty"` // by whom
	Progress *Progress `json:"progress,omitempty"`
	Failure  *Failure  `json:"failure,omitempty"`
	Address  string    `json:"address,omitempty"` // that was dialled: the tunnel is open
}

// sanitize makes fit for people what the other side says.
func (a answer) sanitize() answer {
	a.TakenUp, a.Address = clean(a.TakenUp), clean(a.Address)
	if a.Progress != nil {
		a.Progress.sanitize()
	}
	if a.Failure != nil {
		a.Failure.sanitize()
	}
	return a
}

// maxLines bounds the notes and warnings of one step.
const maxLines = 20

func (p *Progress) sanitize() {
	p.Step, p.Title, p.Text = clean(p.Step), clean(p.Title), clean(p.Text)
	p.Notes, p.Warnings = cleanAll(p.Notes), cleanAll(p.Warnings)
}

func cleanAll(lines []string) []string {
	lines = lines[:min(len(lines), maxLines)]
	for i, line := range lines {
		lines[i] = clean(line)
	}
	return lines
}

// clean drops what is not printable and what is too long.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "")
}

// writeMessage sends a version, a length and JSON. It is one Write, so one frame.
func writeMessage(w io.Writer, m any) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write a message: %w", err)
	}
	if len(body) > maxMessage {
		return fmt.Errorf("write a message: %d bytes are too many", len(body))
	}
	packet := append(binary.BigEndian.AppendUint16([]byte{version}, uint16(len(body))), body...)
	_, err = w.Write(packet)
	return err
}

// readMessage reads exactly one message; what follows it belongs to the tunnel.
func readMessage(r io.Reader, m any) error {
	var head [3]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	if head[0] != version {
		return fmt.Errorf("read a message: version %d is unknown", head[0])
	}
	length := binary.BigEndian.Uint16(head[1:])
	if length > maxMessage {
		return fmt.Errorf("read a message: %d bytes are too many", length)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, m); err != nil {
		return fmt.Errorf("read a message: %w", err)
	}
	return nil
}
