package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
)

// A program must not take the beginning of a file for all of it.
func TestAFileThatCannotGoOnIsBrokenOff(t *testing.T) {
	t.Parallel()
	router := chi.NewRouter()
	server := httptest.NewServer(router)
	t.Cleanup(server.Close)
	api := humachi.New(router, huma.DefaultConfig("Orbit", "test"))
	answer := func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return file(partType, "half.pdf", func(_ context.Context, w io.Writer) error {
			_, _ = w.Write([]byte("the beginning"))
			return errors.New("the database is gone")
		}), nil
	}
	huma.Register(api, huma.Operation{OperationID: "half", Method: http.MethodGet, Path: "/half"}, answer)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/half", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		return // it broke off before its header was sent
	}
	defer response.Body.Close()
	if content, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("%q is taken for the whole file", content)
	}
}
