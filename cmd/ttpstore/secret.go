package main

import (
	"errors"
	"regexp"
	"strings"
)

// A database's URL may hold a password. Typed in the wrong place, it would be repeated by an error, name a file
// or be stored.

// databaseURL matches a URL with a password, or of a database, and a data source name without a scheme.
var databaseURL = regexp.MustCompile(`(?is)^(mysql|mariadb|sqlite)://|^\w+://[^/]*:.*@|^[^:/]*:.*@(\w*\(|[^/]*/)`)

// refuseMisplacedURL refuses a database's URL that is not the value of --db.
func refuseMisplacedURL(args []string) error {
	for i, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || !strings.HasPrefix(name, "-") {
			name, value = "", arg
			if i > 0 {
				name = args[i-1]
			}
		}
		if name != "--db" && databaseURL.MatchString(value) {
			return errors.New("an argument is the URL of a database: give it to --db or $" + dbEnvironment)
		}
	}
	return nil
}

// password matches what of a URL no message repeats.
var password = regexp.MustCompile(`(?s):\S.*@`)

// withoutPassword is for what looks less like a URL, and yet may be one.
func withoutPassword(text string) string { return password.ReplaceAllString(text, ":...@") }
