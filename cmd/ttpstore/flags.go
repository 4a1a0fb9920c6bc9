package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// number is a flag value: an integer within bounds.
type number struct{ value, least, most int }

func (n *number) String() string { return strconv.Itoa(n.value) }

// Type implements [pflag.Value].
func (n *number) Type() string { return "number" }

// Set implements [pflag.Value].
func (n *number) Set(s string) error {
	value, err := strconv.Atoi(s)
	switch {
	case err == nil && value >= n.least && value <= n.most:
		n.value = value
		return nil
	case n.most == math.MaxInt:
		return fmt.Errorf("must be a whole number, at least %d", n.least)
	}
	return fmt.Errorf("must be a whole number from %d to %d", n.least, n.most)
}

// confidence is a flag value: a number from 0 to 1.
type confidence float64

func (c *confidence) String() string { return strconv.FormatFloat(float64(*c), 'g', -1, 64) }

// Type implements [pflag.Value].
func (c *confidence) Type() string { return "confidence" }

// Set implements [pflag.Value].
func (c *confidence) Set(s string) error {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0 && f <= 1) { // also refuses NaN
		return errors.New("must be a number from 0 to 1")
	}
	*c = confidence(f)
	return nil
}

// choice is a flag value: one of a list of words.
type choice[T ~string] struct {
	value *T
	of    []T
}

func (c choice[T]) String() string { return string(*c.value) }

// Type implements [pflag.Value].
func (c choice[T]) Type() string { return "choice" }

// Set implements [pflag.Value].
func (c choice[T]) Set(s string) error {
	if !slices.Contains(c.of, T(s)) {
		return errors.New("must be " + alternatives(c.of) + didYouMean(s, words(c.of)))
	}
	*c.value = T(s)
	return nil
}

// complete completes the allowed words.
func (c choice[T]) complete(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return words(c.of), cobra.ShellCompDirectiveNoFileComp
}

func words[T ~string](of []T) []string {
	out := make([]string, len(of))
	for i, word := range of {
		out[i] = string(word)
	}
	return out
}

// alternatives formats words as "a, b or c".
func alternatives[T ~string](of []T) string {
	all := words(of)
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " or " + all[last]
}

// setText returns a setter that refuses an empty value: an empty variable in a script must not silently drop
// the filter.
func setText(text *string) func(string) error {
	return func(s string) error {
		if s == "" {
			return errors.New("must not be empty")
		}
		*text = s
		return nil
	}
}

// setID returns a setter that parses a UUID.
func setID(id *uuid.UUID) func(string) error {
	return func(s string) (err error) {
		if *id, err = uuid.Parse(s); err != nil {
			return errors.New("must be a UUID")
		}
		return nil
	}
}

// once wraps a flag value that may be set only once: pflag would silently keep the last one.
type once struct {
	pflag.Value
	name  string
	given bool
}

// Set implements [pflag.Value].
func (o *once) Set(s string) error {
	if o.given {
		return repeatedFlagError(o.name)
	}
	o.given = true
	return o.Value.Set(s)
}

type repeatedFlagError string

func (e repeatedFlagError) Error() string { return "--" + string(e) + " is given more than once" }

// refuseRepeatedFlags makes the command and its subcommands refuse repeated flags. Call it after all flags are added.
func refuseRepeatedFlags(cmd *cobra.Command) {
	for _, flags := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
		flags.VisitAll(func(f *pflag.Flag) {
			if _, several := f.Value.(pflag.SliceValue); !several {
				f.Value = &once{Value: f.Value, name: f.Name}
			}
		})
	}
	for _, sub := range cmd.Commands() {
		refuseRepeatedFlags(sub)
	}
}

// exclusive makes the command refuse more than one of the named flags.
func exclusive(cmd *cobra.Command, names ...string) {
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, values []string) error {
		given := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !cmd.Flag(name).Changed })
		if len(given) > 1 {
			return fmt.Errorf("--%s and --%s are mutually exclusive", given[0], given[1])
		}
		return args(cmd, values)
	}
}
