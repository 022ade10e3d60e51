package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
)

// A mail server that lets Orbit wait must not cost the program its answer.
func TestATestMayTakeLongerThanAnyOtherAnswer(t *testing.T) {
	t.Parallel()
	router := chi.NewRouter()
	server := httptest.NewUnstartedServer(router)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	api := humachi.New(router, huma.DefaultConfig("Orbit", "test"))
	api.UseMiddleware(patient)
	slow := func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		wait := time.NewTimer(150 * time.Millisecond)
		defer wait.Stop()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-wait.C:
			return nil, nil
		}
	}
	for _, path := range []string{"/smtp-accounts/test", "/smtp-accounts/{id}/test"} {
		huma.Register(api, huma.Operation{OperationID: path, Method: http.MethodPost, Path: path}, slow)
	}
	for _, path := range []string{"/smtp-accounts/test", "/smtp-accounts/7/test"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusNoContent {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
}
