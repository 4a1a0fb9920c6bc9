package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

// TestTLS starts a server of its own, with a certificate for 127.0.0.1 that the test's authority signed.
func TestTLS(t *testing.T) {
	if engine.Keyspaces > 0 {
		t.Skip("vtgate has its own TLS options: run this test with " + EngineEnv + "=mysql-9.7")
	}
	folder := t.TempDir()
	authority := newAuthority(t, folder, "ca.pem")
	authority.sign(t, folder, "server")
	authority.sign(t, folder, "client")
	newAuthority(t, folder, "other.pem")
	cfg, _, stop, err := dockerServer(serverOptions{
		args:   []string{"--ssl-ca=/tls/ca.pem", "--ssl-cert=/tls/server.pem", "--ssl-key=/tls/server-key.pem"},
		mounts: []string{folder + ":/tls:ro"},
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	if errors.Is(err, errNoDocker) && os.Getenv(dsnEnv) != "" {
		t.Skipf("%s is set, and this test needs a server with its own certificate: start Docker to run it: %v", dsnEnv, err)
	}
	succeed(t, err)
	for _, statement := range []string{
		"CREATE DATABASE secure CHARACTER SET utf8mb4", "CREATE USER secure@'%' IDENTIFIED BY 'Tr0ub4dor' REQUIRE SSL",
		"CREATE USER certified@'%' IDENTIFIED BY 'Tr0ub4dor' REQUIRE X509", "GRANT ALL ON secure.* TO secure@'%', certified@'%'",
	} {
		if err := execute(cfg, statement); err != nil {
			t.Fatal(err)
		}
	}
	_, port, _ := net.SplitHostPort(cfg.Addr)
	open := func(user, host, parameters string) error {
		store, err := ttp.Open(t.Context(), "mysql://"+user+":Tr0ub4dor@tcp("+host+":"+port+")/secure"+parameters)
		if err != nil {
			return err
		}
		return errors.Join(store.Migrate(t.Context()), store.Close())
	}
	file := func(name string) string { return filepath.Join(folder, name) }
	for _, path := range []string{file("ca.pem"), url.QueryEscape(file("ca.pem"))} {
		if err := open("secure", "127.0.0.1", "?tls-ca="+path); err != nil {
			t.Errorf("the right authority, %s: %v", path, err)
		}
	}
	client := "&tls-cert=" + file("client.pem") + "&tls-key=" + file("client-key.pem")
	if err := open("certified", "127.0.0.1", "?tls-ca="+file("ca.pem")+client); err != nil {
		t.Errorf("a client's certificate: %v", err)
	}
	if err := open("certified", "127.0.0.1", "?tls-ca="+file("ca.pem")); err == nil || !strings.Contains(err.Error(), "Access denied") {
		t.Errorf("no client's certificate: got %v", err)
	}
	for what, test := range map[string]struct{ host, parameters, want string }{
		"no TLS":             {"127.0.0.1", "", "Access denied"},
		"another authority":  {"127.0.0.1", "?tls-ca=" + file("other.pem"), "certificate signed by unknown authority"},
		"system authorities": {"127.0.0.1", "?tls=true", "certificate signed by unknown authority"},
		"another name":       {"localhost", "?tls-ca=" + file("ca.pem"), "certificate is not valid for any names, but wanted to match localhost"},
		"no such file":       {"127.0.0.1", "?tls-ca=" + file("no.pem"), "the parameter tls-ca: open "},
		"no certificate":     {"127.0.0.1", "?tls-ca=" + file("server-key.pem"), "has no certificate in PEM format"},
		"no key":             {"127.0.0.1", "?tls-cert=" + file("server.pem"), "tls-cert and tls-key belong together"},
		"a contradiction":    {"127.0.0.1", "?tls=skip-verify&tls-ca=" + file("ca.pem"), "the parameter tls contradicts"},
	} {
		err := open("secure", test.host, test.parameters)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "Tr0ub4dor") {
			t.Errorf("%s: got %v, want %q", what, err, test.want)
		}
	}
}

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// newAuthority writes the certificate of a new authority to a file.
func newAuthority(t *testing.T, folder, name string) authority {
	t.Helper()
	template := certificate("authority of a test")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	a := authority{template, newKey(t)}
	a.write(t, filepath.Join(folder, name), template, a.key)
	return a
}

// sign writes a certificate for 127.0.0.1 and its key.
func (a authority) sign(t *testing.T, folder, name string) {
	t.Helper()
	key := newKey(t)
	template := certificate(name + " of a test")
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	a.write(t, filepath.Join(folder, name+".pem"), template, key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, filepath.Join(folder, name+"-key.pem"), "PRIVATE KEY", der)
}

func (a authority) write(t *testing.T, path string, template *x509.Certificate, key *ecdsa.PrivateKey) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, path, "CERTIFICATE", der)
}

func certificate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// writePEM writes a file that the server in the container may read as any user.
func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o644); err != nil {
		t.Fatal(err)
	}
}
