package tunnel

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// Code says why the far end has no connection.
type Code string

// The codes. One that is not known counts as Other.
const (
	NameUnknown Code = "name_unknown"
	NameSilent  Code = "name_silent" // the resolver of the far network does not answer
	NameFailed  Code = "name_failed"
	NoAddress   Code = "no_address"
	Refused     Code = "refused"
	Unreachable Code = "unreachable"
	Timeout     Code = "timeout"
	Reset       Code = "reset"
	Forbidden   Code = "forbidden" // by the rules of the far end
	Cancelled   Code = "cancelled"
	Exhausted   Code = "exhausted" // no more descriptors or memory there
	NoAgent     Code = "no_agent"  // the process that was asked has none either
	Other       Code = "other"
)

// Failure is why the far end has no connection. errors.Is and As find the same errors under it as if this
// machine had dialled, so that whoever explains errors explains these.
type Failure struct {
	Code    Code   `json:"code"`
	Text    string `json:"text"`
	Address string `json:"address,omitempty"` // Forbidden: that was judged
	Rule    string `json:"rule,omitempty"`    // Forbidden: why, as a sentence without a full stop
	Setting string `json:"setting,omitempty"` // Forbidden: what would allow it, "" when nothing does
	Host    string `json:"host,omitempty"`    // of the three about names
}

func (f *Failure) Error() string { return f.Text }

func (f *Failure) sanitize() {
	f.Text, f.Address, f.Rule, f.Setting, f.Host = clean(f.Text), clean(f.Address), clean(f.Rule), clean(f.Setting), clean(f.Host)
}

// Unwrap returns the error that the code stands for.
func (f *Failure) Unwrap() error {
	switch f.Code {
	case NameUnknown:
		return &net.DNSError{Err: "no such host", Name: f.Host, IsNotFound: true}
	case NameSilent:
		return &net.DNSError{Err: "timeout", Name: f.Host, IsTimeout: true, IsTemporary: true}
	case NameFailed:
		return &net.DNSError{Err: f.Text, Name: f.Host, IsTemporary: true}
	case Refused:
		return syscall.ECONNREFUSED
	case Unreachable:
		return syscall.EHOSTUNREACH
	case Timeout:
		return os.ErrDeadlineExceeded
	case Reset:
		return syscall.ECONNRESET
	case Cancelled:
		return context.Canceled
	case Exhausted:
		return syscall.EMFILE
	case NoAddress, Forbidden, NoAgent, Other:
	}
	return nil
}

// FailureOf puts an error of dialling into words for the other side.
func FailureOf(err error) *Failure {
	var typed *Failure
	if errors.As(err, &typed) {
		return typed
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return &Failure{Code: codeOfName(dns), Text: clean(err.Error()), Host: clean(dns.Name)}
	}
	return &Failure{Code: codeOf(err), Text: clean(err.Error())}
}

func codeOfName(err *net.DNSError) Code {
	switch {
	case err.IsNotFound:
		return NameUnknown
	case err.IsTimeout:
		return NameSilent
	}
	return NameFailed
}

// codeOf looks for the error that says most: when several addresses were tried, a refusal proves that the
// host is there.
func codeOf(err error) Code {
	for _, known := range []struct {
		err  error
		code Code
	}{
		{syscall.ECONNREFUSED, Refused}, {syscall.ECONNRESET, Reset},
		{os.ErrDeadlineExceeded, Timeout}, {context.DeadlineExceeded, Timeout}, {syscall.ETIMEDOUT, Timeout},
		{syscall.EHOSTUNREACH, Unreachable}, {syscall.ENETUNREACH, Unreachable}, {syscall.EADDRNOTAVAIL, Unreachable},
		{syscall.EMFILE, Exhausted}, {syscall.ENFILE, Exhausted}, {syscall.ENOBUFS, Exhausted}, {syscall.ENOMEM, Exhausted},
		{fs.ErrPermission, Unreachable}, // a firewall on that machine; EPERM and EACCES
		{context.Canceled, Cancelled},
	} {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return Timeout
	}
	return Other
}

// LinkError says that a link could not carry a request: nothing is known of the destination, and another
// link may do better.
type LinkError struct {
	Text string
	Err  error
}

func (e *LinkError) Error() string {
	if e.Err == nil {
		return e.Text
	}
	return e.Text + ": " + e.Err.Error()
}

func (e *LinkError) Unwrap() error { return e.Err }
