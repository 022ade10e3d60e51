package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"orbit/internal/problem"
)

// partial is a body whose members are all optional: those that are there are laid over a value that exists.
// Its description is that of T.
type partial[T any] struct{ raw json.RawMessage }

// Schema describes T without required members.
func (partial[T]) Schema(registry huma.Registry) *huma.Schema {
	described := *huma.SchemaFromType(registry, reflect.TypeFor[T]())
	described.Required = nil
	return &described
}

// UnmarshalJSON keeps the members for later.
func (p *partial[T]) UnmarshalJSON(raw []byte) error {
	p.raw = bytes.Clone(raw)
	return nil
}

// over lays the members over value.
func (p partial[T]) over(value *T) error {
	if len(p.raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(p.raw, value); err != nil {
		return problem.Invalid{{Text: "The body does not fit: " + err.Error()}}
	}
	return nil
}

// plainProblem writes an error that arises before any operation.
func plainProblem(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: text})
}
