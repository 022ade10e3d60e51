package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"orbit/internal/vault"
)

// Device is a device flow that has begun: a person visits the address and types the code.
type Device struct {
	Code        vault.Secret
	UserCode    string
	URI         string
	URIComplete string // with the code in it; empty: not offered
	Lifetime    time.Duration
	Interval    time.Duration // between polls
}

const (
	defaultInterval = 5 * time.Second // RFC 8628 3.2
	defaultDevice   = 15 * time.Minute
)

// StartDevice asks for a device code (RFC 8628 3.1). Public clients only name themselves here.
func StartDevice(ctx context.Context, hc *http.Client, deviceURL, tokenURL string, c Client, scope string) (Device, error) {
	form := withScope(url.Values{}, scope)
	if err := c.prove(form, tokenURL); err != nil {
		return Device{}, err
	}
	body, err := post(ctx, hc, deviceURL, form)
	if err != nil {
		return Device{}, err
	}
	return parseDevice(body)
}

func parseDevice(body []byte) (Device, error) {
	var answer struct {
		DeviceCode  vault.Secret `json:"device_code"`
		UserCode    string       `json:"user_code"`
		URI         string       `json:"verification_uri"`
		URL         string       `json:"verification_url"` // Google's spelling, from before the RFC
		URIComplete string       `json:"verification_uri_complete"`
		ExpiresIn   seconds      `json:"expires_in"`
		Interval    seconds      `json:"interval"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.DeviceCode.IsZero() || answer.UserCode == "" {
		return Device{}, &Error{Status: http.StatusOK, Err: errors.New("the answer has no device code")}
	}
	if answer.URI == "" {
		answer.URI = answer.URL
	}
	return Device{
		Code: answer.DeviceCode, UserCode: answer.UserCode, URI: answer.URI, URIComplete: answer.URIComplete,
		Lifetime: answer.ExpiresIn.or(defaultDevice),
		Interval: min(max(answer.Interval.or(defaultInterval), time.Second), time.Minute),
	}, nil
}
