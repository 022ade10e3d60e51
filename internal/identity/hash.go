package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"orbit/internal/problem"
	"orbit/internal/vault"
)

// Cost is what one guess at a password costs, in argon2id's own terms. A stored hash carries the cost it was made with,
// so the figures below may rise without locking anybody out: the next sign-in hashes again.
type Cost struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

// presentCost is the OWASP recommendation for argon2id (19 MiB, two passes, one thread).
var presentCost = Cost{Memory: 19 * 1024, Passes: 2, Threads: 1}

// A hash that asks for more than this was not made by Orbit; computing it would be a way to take the machine down.
var highestCost = Cost{Memory: 256 * 1024, Passes: 16, Threads: 16}

const (
	saltLength = 16
	keyLength  = 32

	mostHashes  = 4                // at once: 4 x 19 MiB, whatever arrives at the sign-in page
	longestWait = 10 * time.Second // for a turn; then the person is asked to come back
)

// errHash says that a stored hash cannot be read. It never reaches a person.
var errHash = errors.New("password hash is not argon2id in PHC form")

// hasher computes argon2id with a bound on how many run at once: each takes memory and a core, and a flood of
// sign-ins must not take all of them.
type hasher struct {
	turns chan struct{}
	cost  Cost
	decoy string // what the password of an unknown user is compared with
}

func newHasher(cost Cost) *hasher {
	h := &hasher{turns: make(chan struct{}, min(max(2, runtime.GOMAXPROCS(0)), mostHashes)), cost: cost}
	// No password has this hash: the key is random, not computed. Comparing with it takes as long as with a real one.
	h.decoy = phc{cost: cost, salt: random(saltLength), key: random(keyLength)}.String()
	return h
}

// hash returns the PHC string of password.
func (h *hasher) hash(ctx context.Context, password vault.Secret) (string, error) {
	p := phc{cost: h.cost, salt: random(saltLength)}
	key, err := h.derive(ctx, password, p)
	if err != nil {
		return "", err
	}
	p.key = key
	return p.String(), nil
}

// matches reports whether password belongs to the stored hash, and whether the hash should be made anew because the
// present cost is higher. An empty stored hash takes as long as any other and never matches.
func (h *hasher) matches(ctx context.Context, stored string, password vault.Secret) (ok, outdated bool, err error) {
	if stored == "" {
		stored = h.decoy
	}
	p, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	key, err := h.derive(ctx, password, p)
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(key, p.key) == 1, p.cost.below(h.cost), nil
}

// derive waits for a turn and computes the key. Composed and decomposed accents are one password, whatever
// keyboard they come from.
func (h *hasher) derive(ctx context.Context, password vault.Secret, p phc) ([]byte, error) {
	wait, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	select {
	case h.turns <- struct{}{}:
		defer func() { <-h.turns }()
	case <-wait.Done():
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, problem.Refuse("Too many people are signing in at this moment. Try again in a few seconds.")
	}
	size := uint32(keyLength)
	if len(p.key) > 0 {
		size = uint32(len(p.key)) //nolint:gosec // parsePHC bounds it
	}
	clear := norm.NFC.String(password.Reveal())
	return argon2.IDKey([]byte(clear), p.salt, p.cost.Passes, p.cost.Memory, p.cost.Threads, size), nil
}

func (c Cost) below(wanted Cost) bool {
	return c.Memory < wanted.Memory || c.Passes < wanted.Passes
}

// phc is a hash in the string format of the Password Hashing Competition:
// $argon2id$v=19$m=19456,t=2,p=1$salt$key
type phc struct {
	cost Cost
	salt []byte
	key  []byte
}

func (p phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		p.cost.Memory, p.cost.Passes, p.cost.Threads, encode(p.salt), encode(p.key))
}

func parsePHC(text string) (phc, error) {
	part := strings.Split(text, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return phc{}, errHash
	}
	var p phc
	if _, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &p.cost.Memory, &p.cost.Passes, &p.cost.Threads); err != nil {
		return phc{}, errHash
	}
	var saltErr, keyErr error
	p.salt, saltErr = base64.RawStdEncoding.DecodeString(part[4])
	p.key, keyErr = base64.RawStdEncoding.DecodeString(part[5])
	if saltErr != nil || keyErr != nil || !p.plausible() {
		return phc{}, errHash
	}
	return p, nil
}

func (p phc) plausible() bool {
	c := p.cost
	return c.Memory >= 8 && c.Memory <= highestCost.Memory && c.Passes >= 1 && c.Passes <= highestCost.Passes &&
		c.Threads >= 1 && c.Threads <= highestCost.Threads && len(p.salt) >= 8 && len(p.key) >= 16 && len(p.key) <= 64
}

func encode(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

// random returns n bytes from the system's generator, which cannot fail (crypto/rand ends the program instead).
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
