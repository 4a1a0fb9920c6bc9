package main

import (
	"errors"
	"regexp"
	"strings"
)

// A database URL may contain a password. In the place of another argument, it could end up in an error message, a file
// name or the database.

// databaseURL matches database URLs, other URLs with a password, and data source names without a scheme.
var databaseURL = regexp.MustCompile(`(?is)^(mysql|mariadb|sqlite)://|^\w+://[^/]*:.*@|^[^:/]*:.*@(\w*\(|[^/]*/)`)

// refuseMisplacedURL returns an error if an argument other than the value of --db or --from is a database URL.
func refuseMisplacedURL(args []string) error {
	for i, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || !strings.HasPrefix(name, "-") {
			name, value = "", arg
			if i > 0 {
				name = args[i-1]
			}
		}
		if name != "--db" && name != "--from" && databaseURL.MatchString(value) {
			return errors.New("an argument is a database URL: pass it with --db or $" + dbEnvironment)
		}
	}
	return nil
}

// password matches the part of a URL that messages must not contain, and cutPassword that of a URL that lacks its end.
var (
	password    = regexp.MustCompile(`(?s):\S.*@`)
	cutPassword = regexp.MustCompile(`://[^\s@:/]+:[^\s@]+`)
)

// exampleURL is in the errors about invalid URLs.
const exampleURL = "mysql://USER:PASSWORD@tcp(HOST:PORT)/DATABASE"

// withoutPassword masks the password in text that may contain a URL. It keeps exampleURL, whose @ would otherwise end the
// masked part.
func withoutPassword(text string) string {
	const placeholder = "\x00"
	text = strings.ReplaceAll(text, exampleURL, placeholder)
	text = cutPassword.ReplaceAllString(password.ReplaceAllString(text, ":...@"), "://...")
	return strings.ReplaceAll(text, placeholder, exampleURL)
}
