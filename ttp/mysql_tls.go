package ttp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// The parameters of a MySQL URL that name files in PEM format.
const (
	paramTLSCA   = "tls-ca"   // of the authority that signed the server's certificate
	paramTLSCert = "tls-cert" // of the client
	paramTLSKey  = "tls-key"
)

// takeTLS removes this module's TLS parameters from params and returns their configuration, or nil without any.
func takeTLS(params map[string]string) (*tls.Config, error) {
	ca, cert, key := params[paramTLSCA], params[paramTLSCert], params[paramTLSKey]
	for _, name := range []string{paramTLSCA, paramTLSCert, paramTLSKey} {
		delete(params, name)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	switch {
	case ca == "" && cert == "" && key == "":
		return nil, nil //nolint:nilnil // no parameters, no configuration
	case (cert == "") != (key == ""):
		return nil, errors.New("the parameters tls-cert and tls-key belong together")
	}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("the parameter tls-ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("the parameter tls-ca: the file has no certificate in PEM format")
		}
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("the parameters tls-cert and tls-key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
