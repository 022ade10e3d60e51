package fetch

import (
	"errors"
	"testing"
	"time"
)

func TestWhatServersSayOfAMessage(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 3, 10, 0, 0, 0, time.FixedZone("", 3600))
	for line, want := range map[string]Ref{
		`UID 7 RFC822.SIZE 5000 INTERNALDATE " 3-Nov-2026 10:00:00 +0100")`:                                {ID: "7", number: 7, Size: 5000, Received: at},
		`FLAGS (\Answered \SEEN) UID 7 INTERNALDATE "03-Nov-2026 10:00:00 +0100" RFC822.SIZE 5000)`:        {ID: "7", number: 7, Size: 5000, Received: at, seen: true},
		`MODSEQ (12) X-LABELS ("a)\"b" (c)) BODY[HEADER.FIELDS (DATE TO)]<0> NIL UID 4294967295 FLAGS ())`: {ID: "4294967295", number: 4294967295},
		`RFC822.SIZE x INTERNALDATE "yesterday" UID 1)`:                                                    {ID: "1", number: 1},
		``: {},
	} {
		m, err := new(answers).items(fetched{}, []byte(line))
		if err != nil || !m.ref.Received.Equal(want.Received) {
			t.Errorf("%s: %+v, %v", line, m.ref, err)
		}
		m.ref.Received, want.Received = time.Time{}, time.Time{}
		if m.ref != want {
			t.Errorf("%s: %+v, want %+v", line, m.ref, want)
		}
	}
	for _, line := range []string{`FLAGS (\Seen`, `INTERNALDATE "03-`, `UID`, `BODY[] {5x}`, `X ("`} {
		if _, err := new(answers).items(fetched{}, []byte(line)); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v", line, err)
		}
	}
}
