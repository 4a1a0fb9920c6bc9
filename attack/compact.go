package attack

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
)

// The compact form is text, compressed by gzip. Each release is a paragraph, which starts with its name. The other
// lines are the changes since the previous release of the domain, such as:
//
//	enterprise-v9.0
//	-T1053.004
//	T1036.007	name=Double File Extension	platforms=Windows	tactics=TA0005
//	T1037.004	name=RC Scripts
//	matrix	tactics=TA0043|TA0042|TA0001
//
// First come the ids that the release dropped, then the changed fields of the others. A field that a line does not
// name keeps its value, which is at first empty.
const endOfRelease = "\n\n"

// MarshalBinary returns all releases in a compact form, which [Catalogue.UnmarshalBinary] reads.
func (c *Catalogue) MarshalBinary() ([]byte, error) {
	var paragraphs []string
	domain, before := "", records{}
	for _, name := range c.Releases() {
		r, _ := c.Release(name)
		if r.Domain != domain {
			domain, before = r.Domain, records{}
		}
		after := r.records()
		lines := append([]string{name}, changes(before, after)...)
		paragraphs = append(paragraphs, strings.Join(lines, "\n"))
		before = after
	}
	var compact bytes.Buffer
	z, err := gzip.NewWriterLevel(&compact, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(z, strings.Join(paragraphs, endOfRelease)); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return compact.Bytes(), nil
}

// UnmarshalBinary replaces all releases by those of a compact form. Each release is decoded on first use.
func (c *Catalogue) UnmarshalBinary(compact []byte) error {
	z, err := gzip.NewReader(bytes.NewReader(compact))
	if err != nil {
		return fmt.Errorf("read releases: %w", err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return fmt.Errorf("read releases: %w", err)
	}
	read := Catalogue{}
	histories := map[string][]string{} // the changes of a domain's releases so far
	for paragraph := range strings.SplitSeq(string(text), endOfRelease) {
		if paragraph == "" { // of an empty catalogue
			continue
		}
		name, lines, _ := strings.Cut(paragraph, "\n")
		n, err := parseName(name)
		if err != nil {
			return fmt.Errorf("read releases: %w", err)
		}
		history := append(histories[n.domain], lines)
		histories[n.domain] = history
		read.add(name, func() *Release { return compose(name, history) })
	}
	*c = read
	return nil
}

// compose applies the changes of a domain's releases in order and returns the last release.
func compose(name string, history []string) *Release {
	all := records{}
	for _, lines := range history {
		all.apply(lines)
	}
	return all.release(name)
}
