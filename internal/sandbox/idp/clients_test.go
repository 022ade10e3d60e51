package idp_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	oauthjwt "golang.org/x/oauth2/jwt"

	"orbit/internal/sandbox/idp"
)

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	some := idp.Client{ID: "some", Name: "Some", Secrets: []string{"s3cret"}, ExpiredSecrets: []string{"old"}, Mailboxes: []string{alerts}}
	public := idp.Client{ID: "public", Name: "Public"}
	s := start(t, idp.Options{Clients: []idp.Client{some, public}})
	const scope = "https://outlook.office365.com/.default"
	ask := func(id, secret, scope string) (*oauth2.Token, error) {
		c := clientcredentials.Config{ClientID: id, ClientSecret: secret, TokenURL: s.Endpoints.Token, Scopes: []string{scope}, AuthStyle: oauth2.AuthStyleInParams}
		return c.Token(t.Context())
	}
	token, err := ask("some", "s3cret", scope)
	if err != nil {
		t.Fatal(err)
	}
	if token.RefreshToken != "" || s.Identity.CheckToken(idp.POP3, alerts, token.AccessToken) != nil || s.Identity.CheckToken(idp.POP3, bea, token.AccessToken) == nil {
		t.Errorf("%+v opens the wrong mailboxes", token)
	}
	for _, test := range []struct{ id, secret, scope, code, words string }{
		{"some", "wrong", scope, "invalid_client", "AADSTS7000215"},
		{"some", "old", scope, "invalid_client", "AADSTS7000222: The provided client secret keys for app 'some' are expired."},
		{"some", "", scope, "invalid_client", "AADSTS7000218"},
		{"nobody", "x", scope, "unauthorized_client", "AADSTS700016: Application with identifier 'nobody' was not found in the directory 'sandbox'."},
		{"public", "x", scope, "invalid_client", "AADSTS700025"},
		{"public", "", scope, "invalid_client", "AADSTS7000218"},
		{"some", "s3cret", "https://outlook.office365.com/SMTP.Send", "invalid_scope", "AADSTS1002012"},
		{"some", "s3cret", "https://unknown.example/.default", "invalid_resource", "AADSTS500011: The resource principal named https://unknown.example was not found"},
	} {
		_, err := ask(test.id, test.secret, test.scope)
		wants(t, err, test.code, test.words)
	}
	s.Identity.ExpireSecrets("some")
	_, err = ask("some", "s3cret", scope)
	wants(t, err, "invalid_client", "AADSTS7000222")
	s.Identity.AddSecret("some", "new")
	if _, err := ask("some", "new", scope); err != nil {
		t.Error(err)
	}
}

var makeKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func certificate(t *testing.T, until time.Time) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "orbit"}, NotBefore: until.Add(-48 * time.Hour), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, makeKey().Public(), makeKey())
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// assertion signs with the one key.
func assertion(t *testing.T, algorithm jose.SignatureAlgorithm, header, value string, claims any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: makeKey()}, (&jose.SignerOptions{}).WithHeader(jose.HeaderKey(header), value))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestClientAssertion(t *testing.T) {
	t.Parallel()
	good, old, other := certificate(t, time.Now().Add(time.Hour)), certificate(t, time.Now().Add(-time.Hour)), certificate(t, time.Now().Add(time.Hour))
	s := start(t, idp.Options{Clients: []idp.Client{{ID: "app", Name: "App", Certificates: []*x509.Certificate{good, old}, Mailboxes: []string{"*"}}}})
	claims := func(change func(*jwt.Claims)) jwt.Claims {
		now := time.Now()
		c := jwt.Claims{Issuer: "app", Subject: "app", Audience: jwt.Audience{s.Endpoints.Token}, Expiry: jwt.NewNumericDate(now.Add(5 * time.Minute)), NotBefore: jwt.NewNumericDate(now)}
		if change != nil {
			change(&c)
		}
		return c
	}
	ask := func(assertion string) (*oauth2.Token, error) {
		c := clientcredentials.Config{ClientID: "app", TokenURL: s.Endpoints.Token, Scopes: []string{"https://outlook.office365.com/.default"}, AuthStyle: oauth2.AuthStyleInParams,
			EndpointParams: url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion}}}
		return c.Token(t.Context())
	}
	for _, algorithm := range []jose.SignatureAlgorithm{jose.RS256, jose.PS256} {
		if _, err := ask(assertion(t, algorithm, "x5t#S256", idp.Thumbprint(good), claims(nil))); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
	for name, test := range map[string]struct{ assertion, words string }{
		"expired certificate":      {assertion(t, jose.PS256, "x5t#S256", idp.Thumbprint(old), claims(nil)), "AADSTS700027"},
		"certificate not uploaded": {assertion(t, jose.PS256, "x5t#S256", idp.Thumbprint(other), claims(nil)), "AADSTS700027"},
		"no thumbprint":            {assertion(t, jose.PS256, "kid", "x", claims(nil)), "AADSTS700027"},
		"other client":             {assertion(t, jose.PS256, "x5t#S256", idp.Thumbprint(good), claims(func(c *jwt.Claims) { c.Issuer = "x" })), "AADSTS700027"},
		"other audience":           {assertion(t, jose.PS256, "x5t#S256", idp.Thumbprint(good), claims(func(c *jwt.Claims) { c.Audience = jwt.Audience{"x"} })), "AADSTS700024"},
		"over":                     {assertion(t, jose.PS256, "x5t#S256", idp.Thumbprint(good), claims(func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(time.Now().Add(-time.Hour)) })), "AADSTS700024"},
		"endless":                  {assertion(t, jose.PS256, "x5t#S256", idp.Thumbprint(good), claims(func(c *jwt.Claims) { c.Expiry = nil })), "AADSTS700024"},
		"no assertion":             {"x", "AADSTS700027"},
	} {
		_, err := ask(test.assertion)
		if err == nil {
			t.Errorf("%s is accepted", name)
			continue
		}
		wants(t, err, "invalid_client", test.words)
	}
}

func TestServiceAccount(t *testing.T) {
	t.Parallel()
	account, file, err := idp.NewServiceAccount("mail@orbit-sandbox.iam.example", "")
	if err != nil {
		t.Fatal(err)
	}
	account.Mailboxes = []string{alerts}
	s := start(t, idp.Options{Flavour: idp.Google, ServiceAccounts: []idp.ServiceAccount{account}})
	var key struct {
		Email string `json:"client_email"`
		Key   string `json:"private_key"`
	}
	if err := json.Unmarshal(file, &key); err != nil {
		t.Fatal(err)
	}
	ask := func(change func(*oauthjwt.Config)) (*oauth2.Token, error) {
		c := &oauthjwt.Config{Email: key.Email, PrivateKey: []byte(key.Key), Subject: alerts, Scopes: []string{"https://mail.google.com/"}, TokenURL: s.Endpoints.Token}
		if change != nil {
			change(c)
		}
		return c.TokenSource(t.Context()).Token()
	}
	token, err := ask(nil)
	if err != nil || !strings.HasPrefix(token.AccessToken, "ya29.") || s.Identity.CheckToken(idp.IMAP, alerts, token.AccessToken) != nil {
		t.Errorf("%+v, %v", token, err)
	}
	for _, test := range []struct {
		change      func(*oauthjwt.Config)
		code, words string
	}{
		{func(c *oauthjwt.Config) { c.Subject = bea }, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method"},
		{func(c *oauthjwt.Config) { c.Subject = "nobody@orbit.example" }, "invalid_grant", "Invalid email or User ID"},
		{func(c *oauthjwt.Config) { c.Scopes = []string{"https://www.googleapis.com/auth/drive"} }, "unauthorized_client", ""},
		{func(c *oauthjwt.Config) { c.Expires = 25 * time.Hour }, "invalid_grant", "Invalid JWT: Token must be a short-lived token"},
		{func(c *oauthjwt.Config) { c.Audience = "https://other.example" }, "invalid_grant", "Invalid JWT: Token must be"},
		{func(c *oauthjwt.Config) { c.PrivateKey = pkcs8(t) }, "invalid_grant", "Invalid JWT Signature."},
		{func(c *oauthjwt.Config) { c.Email = "other@example.com" }, "invalid_grant", "Invalid JWT Signature."},
	} {
		_, err := ask(test.change)
		wants(t, err, test.code, test.words)
	}
}

func pkcs8(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(makeKey())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
