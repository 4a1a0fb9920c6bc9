package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/term"
)

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// notef prints a note to standard error. It ignores write errors, which do not affect the result.
func notef(stderr io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(stderr, format, args...)
}

// terminalWidth returns the number of columns of a terminal; for other streams $COLUMNS, or 80.
func terminalWidth(stream any) int {
	if isTerminal(stream) {
		if width, _, err := term.GetSize(int(stream.(*os.File).Fd())); err == nil && width > 0 {
			return width
		}
	}
	if width, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && width > 0 {
		return width
	}
	return 80
}

// oneLine makes text printable, line breaks and tabs included.
func oneLine(s string) string {
	return strings.ReplaceAll(printable(s), "\n", `\n`)
}

// printable escapes control and other unprintable characters in JSON notation: attackers control some of the
// text, and a terminal would interpret it.
func printable(s string) string {
	if !strings.ContainsFunc(s, isUnprintable) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !isUnprintable(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

func isUnprintable(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
