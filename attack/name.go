package attack

import (
	"fmt"
	"strconv"
	"strings"
)

// releaseName is a release's name in parts.
type releaseName struct {
	domain       string
	major, minor int
}

// parseName splits a name such as "enterprise-v18.1".
func parseName(name string) (releaseName, error) {
	domain, version, _ := strings.Cut(name, "-v")
	first, second, _ := strings.Cut(version, ".")
	major, ok := parseVersion(first, 3)
	minor, valid := parseVersion(second, 2)
	switch {
	case !ok, !valid, domain != "enterprise" && domain != "ics" && domain != "mobile":
		return releaseName{}, fmt.Errorf("%w: %q must be such as %q", ErrUnknownRelease, name, "enterprise-v18.1")
	}
	return releaseName{domain, int(major), int(minor)}, nil
}

// parseVersion parses a number with a maximum number of digits.
func parseVersion(s string, digits int) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return n, err == nil && len(s) <= digits
}

// String returns the canonical name, without leading zeros.
func (n releaseName) String() string { return n.domain + "-v" + n.version() }

func (n releaseName) version() string { return fmt.Sprintf("%d.%d", n.major, n.minor) }

// domainOf returns the domain of a release's name, or "" for an invalid name.
func domainOf(name string) string {
	n, _ := parseName(name)
	return n.domain
}
