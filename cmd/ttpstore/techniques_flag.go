package main

import (
	"errors"
	"strings"

	"github.com/decnet/ttpstore/attack"
)

// techniqueList is a flag value: techniques, by id or name, separated by commas.
type techniqueList []string

func (l *techniqueList) String() string { return strings.Join(*l, ",") }

// Type implements [pflag.Value].
func (l *techniqueList) Type() string { return "techniques" }

// Set implements [pflag.Value].
func (l *techniqueList) Set(s string) error {
	for name := range strings.SplitSeq(s, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			return errors.New("must be techniques separated by commas")
		}
		if !idLike.MatchString(name) {
			match, err := search("", attack.Techniques, name)
			if err != nil {
				return err
			}
			name = match.ID
		}
		*l = append(*l, name)
	}
	return nil
}
