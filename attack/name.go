package attack

import (
	"fmt"
	"regexp"
	"strconv"
)

var namePattern = regexp.MustCompile(`^(enterprise|ics|mobile)-v(\d{1,3})\.(\d{1,2})$`)

// releaseName is a release's name in parts.
type releaseName struct {
	domain       string
	major, minor int
}

// parseName splits a name such as "enterprise-v18.1".
func parseName(name string) (releaseName, error) {
	m := namePattern.FindStringSubmatch(name)
	if m == nil {
		return releaseName{}, fmt.Errorf("%w: %q must be such as %q", ErrUnknownRelease, name, "enterprise-v18.1")
	}
	major, _ := strconv.Atoi(m[2])
	minor, _ := strconv.Atoi(m[3])
	return releaseName{m[1], major, minor}, nil
}

// String returns the canonical name, without leading zeros.
func (n releaseName) String() string { return n.domain + "-v" + n.version() }

func (n releaseName) version() string { return fmt.Sprintf("%d.%d", n.major, n.minor) }

// domainOf returns the domain of a release's name, or "" if it is none.
func domainOf(name string) string {
	n, _ := parseName(name)
	return n.domain
}
