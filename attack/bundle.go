package attack

import "io"

// A ReadOption changes how [Read] reads.
type ReadOption func(*reading)

// WithRelease names the release of a bundle that does not name it itself, such as "enterprise-v18.1". A bundle that
// names another is refused.
func WithRelease(name string) ReadOption {
	return func(r *reading) { r.name = name }
}

// Read reads an official bundle of any release of any domain, in STIX 2.0 or 2.1, plain or compressed by gzip. It
// reads the bundle as a stream and keeps only tactics and techniques; objects and properties that it does not know
// are passed over. The domain is that of the kill chain which all techniques share; the release is that of the
// bundle's x-mitre-collection, else of [WithRelease].
//
// It returns a [*BundleError] for what is no bundle, ends early, holds more than one release or has a dangling or
// circular revoked-by, and [ErrNoRelease] if nothing names the release.
func Read(r io.Reader, options ...ReadOption) (*Release, error) {
	panic("not yet written")
}

type reading struct{ name string }
