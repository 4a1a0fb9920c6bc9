package attack

import (
	"errors"
	"fmt"
	"strings"
)

// Sentinel errors for errors.Is.
var (
	// ErrInvalidBundle means that the input is not an official bundle of one release; the error is a [*BundleError].
	ErrInvalidBundle = errors.New("invalid ATT&CK bundle")
	// ErrNoRelease means that neither the bundle nor the caller names the release.
	ErrNoRelease = errors.New("unnamed ATT&CK release")
	// ErrUnknownRelease means that the catalogue does not have a release, or that its name is malformed.
	ErrUnknownRelease = errors.New("unknown ATT&CK release")
	// ErrUnknownName means that no tactic or technique has the name; the error is a [*NameError].
	ErrUnknownName = errors.New("unknown name")
	// ErrAmbiguousName means that several tactics or techniques have the name; the error is a [*NameError].
	ErrAmbiguousName = errors.New("ambiguous name")
)

// BundleError describes the first problem of a bundle.
type BundleError struct {
	Object string // the STIX id of the invalid object, or empty for the whole bundle
	Reason string
	Err    error // of the reader or the decoder, or nil
}

// Error names the object and the reason.
func (e *BundleError) Error() string {
	s := ErrInvalidBundle.Error() + ": "
	if e.Object != "" {
		s += e.Object + ": "
	}
	s += e.Reason
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns [ErrInvalidBundle] and the cause.
func (e *BundleError) Unwrap() []error { return []error{ErrInvalidBundle, e.Err} }

// unknownRelease returns an ErrUnknownRelease that lists the releases of the name's domain, or all if there are none.
func (c *Catalogue) unknownRelease(name string) error {
	known := c.domain(domainOf(name))
	if len(known) == 0 {
		known = c.Releases()
	}
	if len(known) == 0 {
		return fmt.Errorf("%w: %q; the catalogue is empty", ErrUnknownRelease, name)
	}
	return fmt.Errorf("%w: %q; the catalogue has %s", ErrUnknownRelease, name, strings.Join(known, ", "))
}
