package oauth

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"orbit/internal/vault"
)

// rsaKey is made once; making one takes a while.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func keyPEM() string {
	der, err := x509.MarshalPKCS8PrivateKey(rsaKey())
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// certificate returns a certificate with its key that ends then.
func certificate(t testing.TB, notAfter time.Time) NewSecret {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "orbit"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: notAfter,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, rsaKey().Public(), rsaKey())
	if err != nil {
		t.Fatal(err)
	}
	return NewSecret{
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), Key: vault.NewSecret(keyPEM()),
	}
}

func TestClientCredentialsNeedNobody(t *testing.T) {
	b := setup(t)
	b.register(b.settings(ClientCredentials), sharedSecret())
	b.token(address)
	form := b.provider.last()
	for name, want := range map[string]string{"grant_type": "client_credentials", "client_id": "client-1", "client_secret": "client-secret"} {
		if form.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, form.Get(name), want)
		}
	}
	b.wantState(address, Waiting)
}

func TestCertificateSignsTheClientAssertion(t *testing.T) {
	b := setup(t)
	secret := certificate(t, time.Now().AddDate(1, 0, 0))
	r := b.register(b.settings(ClientCredentials), secret)
	b.token(address)
	form := b.provider.last()
	if form.Has("client_secret") || form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		t.Errorf("form %v", form)
	}
	parsed, err := jwt.ParseSigned(form.Get("client_assertion"), []jose.SignatureAlgorithm{jose.PS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims jwt.Claims
	if err := parsed.Claims(rsaKey().Public(), &claims); err != nil {
		t.Fatalf("verify the assertion: %v", err)
	}
	block, _ := pem.Decode([]byte(secret.Certificate))
	sum := sha256.Sum256(block.Bytes)
	if got := parsed.Headers[0].ExtraHeaders["x5t#S256"]; got != base64.RawURLEncoding.EncodeToString(sum[:]) {
		t.Errorf("x5t#S256 is %v", got)
	}
	if claims.Issuer != "client-1" || claims.Subject != "client-1" || claims.Audience[0] != r.TokenURL || claims.ID == "" {
		t.Errorf("claims %+v", claims)
	}
	if life := claims.Expiry.Time().Sub(claims.NotBefore.Time()); life != 5*time.Minute {
		t.Errorf("an assertion for %s", life)
	}
}

func serviceAccountFile() NewSecret {
	file, _ := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "mail@project.iam.gserviceaccount.com", "private_key_id": "key-1", "private_key": keyPEM(),
	})
	return NewSecret{ServiceAccount: vault.NewSecret(string(file))}
}

func TestServiceAccountActsForTheMailbox(t *testing.T) {
	b := setup(t)
	r := b.register(b.settings(ServiceAccount), serviceAccountFile())
	b.token(address)
	form := b.provider.last()
	if form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || form.Has("client_id") {
		t.Errorf("form %v", form)
	}
	parsed, err := jwt.ParseSigned(form.Get("assertion"), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		jwt.Claims
		Scope string `json:"scope"`
	}
	if err := parsed.Claims(rsaKey().Public(), &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Subject != address || claims.Issuer != "mail@project.iam.gserviceaccount.com" || claims.Audience[0] != r.TokenURL || claims.Scope != r.Scope {
		t.Errorf("claims %+v", claims)
	}
	if parsed.Headers[0].KeyID != "key-1" {
		t.Errorf("kid %q", parsed.Headers[0].KeyID)
	}
}

func TestPasswordFlowSendsThePasswordThatWasGiven(t *testing.T) {
	b := setup(t)
	s := b.settings(Password)
	s.Scope, s.Resource = "", "https://partner.outlook.cn"
	b.register(s, sharedSecret())
	_, err := b.access(context.Background(), address)
	if fault := wantFault(t, err); fault.Authorise {
		t.Errorf("fault %+v", fault)
	}
	o, err := b.SetPassword(asAdmin(), address, vault.NewSecret("mailbox-password-secret"))
	if err != nil || !o.Authorised {
		t.Fatalf("%+v, %v", o, err)
	}
	form := b.provider.last()
	if form.Get("username") != address || form.Get("password") != "mailbox-password-secret" || form.Get("resource") != s.Resource || form.Has("scope") {
		t.Errorf("form %v", form)
	}
}

func TestDeviceFlowIsPolledByOneProcess(t *testing.T) {
	b := setup(t)
	b.register(b.settings(DeviceCode), NewSecret{})
	request, err := b.StartDevice(asAdmin(), address)
	if err != nil || request.UserCode != "WDJB-MJHT" || request.URI != b.provider.URL+"/activate" {
		t.Fatalf("%+v, %v", request, err)
	}
	if again, err := b.StartDevice(asAdmin(), address); err != nil || again.UserCode != request.UserCode {
		t.Errorf("a second device flow: %+v, %v", again, err)
	}
	if n := b.count("select count(*) from oauth_device"); n != 1 {
		t.Errorf("%d device flows", n)
	}
	poll := func() int {
		t.Helper()
		before := b.provider.requests()
		var group sync.WaitGroup
		for _, s := range []*Service{b.Service, b.process()} {
			group.Go(func() {
				if _, err := s.pollDevices(context.Background()); err != nil {
					t.Errorf("poll: %v", err)
				}
			})
		}
		group.Wait()
		return b.provider.requests() - before
	}
	if n := poll(); n != 0 {
		t.Errorf("polled %d times before the interval", n)
	}
	b.clock.advance(5 * time.Second)
	if n := poll(); n != 1 {
		t.Errorf("polled %d times, want 1", n)
	}
	b.provider.script(refuse("slow_down", ""))
	b.clock.advance(5 * time.Second)
	poll()
	b.provider.script(nil)
	b.clock.advance(6 * time.Second)
	if n := poll(); n != 0 {
		t.Error("slow_down did not slow down")
	}
	b.provider.deviceOK = true
	b.clock.advance(5 * time.Second)
	if n := poll(); n != 1 {
		t.Errorf("polled %d times, want 1", n)
	}
	b.wantState(address, Waiting)
	_, outcome, err := b.DeviceState(context.Background(), address)
	if err != nil || outcome == nil || !outcome.Authorised {
		t.Errorf("outcome %+v, %v", outcome, err)
	}
	b.clock.advance(time.Minute)
	if n := poll(); n != 0 {
		t.Error("a finished flow is polled")
	}
}

func TestDeviceFlowThatNobodyFinishesEnds(t *testing.T) {
	b := setup(t)
	b.register(b.settings(DeviceCode), NewSecret{})
	if _, err := b.StartDevice(asAdmin(), address); err != nil {
		t.Fatal(err)
	}
	b.clock.advance(15 * time.Minute)
	if _, err := b.pollDevices(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, outcome, err := b.DeviceState(context.Background(), address)
	if err != nil || outcome == nil || outcome.Authorised || outcome.Fault == nil {
		t.Errorf("outcome %+v, %v", outcome, err)
	}
}

func TestRunPollsADeviceFlowThatBegins(t *testing.T) {
	b := setup(t)
	b.register(b.settings(DeviceCode), NewSecret{})
	b.provider.deviceOK = true
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- b.Run(ctx) }()
	if _, err := b.StartDevice(asAdmin(), address); err != nil {
		t.Fatal(err)
	}
	b.clock.advance(5 * time.Second)
	b.wakeUp()
	<-b.provider.entered
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	b.wantState(address, Waiting)
}

func TestDeadGrantDoesNotAffectAnother(t *testing.T) {
	b := setup(t)
	s := b.settings(AuthorizationCode)
	s.Pattern = "@example.com"
	b.register(s, sharedSecret())
	b.authorise("one@example.com")
	b.authorise("two@example.com")
	b.clock.advance(2 * time.Hour)
	dead := true
	b.provider.script(func(url.Values) (int, any) {
		if dead {
			dead = false
			return refuse("invalid_grant", "AADSTS50173: The grant was revoked")(nil)
		}
		return 0, nil
	})
	_, err := b.access(context.Background(), "one@example.com")
	if fault := wantFault(t, err); fault.Code != "AADSTS50173" || !strings.Contains(fault.Reply, "AADSTS50173") {
		t.Errorf("fault %+v", fault)
	}
	b.wantState("one@example.com", Failed)
	b.wantState("two@example.com", Waiting)
	b.token("two@example.com")
}

func TestNobodyIsAskedToAuthoriseWhereNobodyCan(t *testing.T) {
	b := setup(t)
	b.register(b.settings(ServiceAccount), serviceAccountFile())
	b.provider.script(refuse("invalid_grant", "Invalid JWT: Token must be a short-lived token"))
	_, err := b.access(context.Background(), address)
	if fault := wantFault(t, err); fault.Authorise || fault.Temporary {
		t.Errorf("fault %+v", fault)
	}
	b.wantState(address, Failed)
	b.provider.script(nil) // the clock was set right
	b.clock.advance(longestGap)
	b.token(address)
	b.wantState(address, Waiting)
}

func TestRefusedClientFlagsItsGrantsUntilTheSecretIsReplaced(t *testing.T) {
	b := setup(t)
	s := b.settings(AuthorizationCode)
	s.Pattern = "@example.com"
	r := b.register(s, sharedSecret())
	b.authorise("one@example.com")
	b.authorise("two@example.com")
	b.clock.advance(50 * time.Minute)
	b.provider.script(func(form url.Values) (int, any) {
		if form.Get("client_secret") == "client-secret" {
			return refuse("invalid_client", "AADSTS7000222: The provided client secret keys are expired.")(nil)
		}
		return 0, nil
	})
	b.refreshDue(context.Background())
	for _, mailbox := range []string{"one@example.com", "two@example.com"} {
		g := b.wantState(mailbox, Failed)
		if g.FailedBecause != ClientFail || g.Fault.Code != "AADSTS7000222" {
			t.Errorf("grant %+v", g)
		}
		b.token(mailbox) // still valid for ten minutes
	}
	if _, err := b.AddSecret(asAdmin(), r.ID, NewSecret{Secret: vault.NewSecret("second-secret")}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SwitchSecret(asAdmin(), r.ID, true); err != nil {
		t.Fatal(err)
	}
	b.wantState("one@example.com", Waiting)
	b.wantState("two@example.com", Waiting)
	b.clock.advance(time.Hour)
	b.token("one@example.com")
}

func TestCaptivePortalIsNoReasonToFail(t *testing.T) {
	b := authorised(t)
	b.clock.advance(2 * time.Hour)
	b.provider.script(func(url.Values) (int, any) { return http.StatusOK, "<html>Accept the terms</html>" })
	_, err := b.access(context.Background(), address)
	if fault := wantFault(t, err); !fault.Temporary {
		t.Errorf("fault %+v", fault)
	}
	b.wantState(address, Active)
}
