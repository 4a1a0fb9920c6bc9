package attack

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The maximum sizes of an object and a bundle, which bound the memory of Read. The largest object of the official
// bundles is the list of their contents, about 4 MiB; the largest bundle has about 50 MiB.
const (
	maxObject = 32 << 20
	maxBundle = 512 << 20
)

// ReadOption configures [Read].
type ReadOption func(*reading)

// WithRelease names the release of a bundle that does not name it itself, such as "enterprise-v18.1". [Read] refuses a
// bundle of another release.
func WithRelease(name string) ReadOption {
	return func(r *reading) { r.release = name }
}

// Read reads an official bundle of any release of any domain, in STIX 2.0 or 2.1, plain or compressed by gzip. It
// reads the bundle as a stream and keeps only tactics and techniques; it ignores other objects and properties. The
// domain is that of the kill chain which all techniques share; the release is that of the bundle's x-mitre-collection,
// or else of [WithRelease].
//
// It returns a [*BundleError] for input that is not a bundle, ends early, holds more than one release or has a
// dangling or circular revoked-by, and [ErrNoRelease] if nothing names the release.
func Read(r io.Reader, options ...ReadOption) (*Release, error) {
	var in reading
	for _, option := range options {
		option(&in)
	}
	if in.release != "" {
		name, err := parseName(in.release)
		if err != nil {
			return nil, err
		}
		in.release = name.String()
	}
	plain, err := decompressed(r)
	if err != nil {
		return nil, unreadable(err)
	}
	in.decoder = newDecoder(plain)
	if err := in.bundle(); err != nil {
		return nil, err
	}
	return in.objects.release(in.release)
}

// reading is the state of [Read].
type reading struct {
	decoder
	objects objects
	release string // of WithRelease, or empty
}

// decompressed returns a reader of r's content, decompressed if it is gzip.
func decompressed(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
		return gzip.NewReader(buffered)
	}
	return buffered, nil
}

// bundle reads the whole bundle and keeps the objects that make up the release.
func (in *reading) bundle() error {
	if err := in.delimiter('{'); err != nil {
		return err
	}
	kind := ""
	for in.More() {
		key, err := in.token()
		if err != nil {
			return err
		}
		switch key {
		case "type":
			err = in.value(&kind)
		case "objects":
			err = in.list()
		default:
			err = in.value(new(json.RawMessage))
		}
		if err != nil {
			return err
		}
	}
	if err := in.delimiter('}'); err != nil {
		return err
	}
	if kind != "bundle" {
		return &BundleError{Reason: fmt.Sprintf("its type %q must be %q", kind, "bundle")}
	}
	return in.end()
}

// list reads the list of objects, one at a time.
func (in *reading) list() error {
	if err := in.delimiter('['); err != nil {
		return err
	}
	var object json.RawMessage
	for in.More() {
		if err := in.value(&object); err != nil {
			return err
		}
		if err := in.objects.add(object); err != nil {
			return err
		}
	}
	return in.delimiter(']')
}

// decoder reads JSON piece by piece, of bounded size, with errors that are [*BundleError].
type decoder struct {
	*json.Decoder
	limit *limitedReader
}

func newDecoder(r io.Reader) decoder {
	limit := &limitedReader{from: r, bundle: maxBundle, object: maxObject}
	return decoder{json.NewDecoder(limit), limit}
}

func (d *decoder) token() (json.Token, error) {
	d.limit.object = maxObject
	token, err := d.Token()
	return token, unreadable(err)
}

func (d *decoder) value(v any) error {
	d.limit.object = maxObject
	return unreadable(d.Decode(v))
}

func (d *decoder) delimiter(want json.Delim) error {
	token, err := d.token()
	if err == nil && token != want {
		return &BundleError{Reason: fmt.Sprintf("has %v before byte %d, want %v", token, d.InputOffset(), want)}
	}
	return err
}

// end refuses anything after the bundle.
func (d *decoder) end() error {
	switch _, err := d.Token(); {
	case err == nil:
		return &BundleError{Reason: "another value follows the bundle"}
	case errors.Is(err, io.EOF):
		return nil
	default:
		return unreadable(err)
	}
}

// unreadable converts a decoder's error to a [*BundleError]. The end of the input is unexpected, since the bundle is
// incomplete.
func unreadable(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	return &BundleError{Reason: "cannot be read", Err: err}
}

var errTooLarge = errors.New("too large")

// limitedReader fails once an object or the whole bundle exceeds its maximum size.
type limitedReader struct {
	from           io.Reader
	object, bundle int // bytes that may still be read
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.object <= 0 || l.bundle <= 0 {
		return 0, errTooLarge
	}
	n, err := l.from.Read(p[:min(len(p), l.object, l.bundle)])
	l.object -= n
	l.bundle -= n
	return n, err
}
