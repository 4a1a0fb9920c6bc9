package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"time"

	"github.com/dustin/go-humanize"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string

	page = template.Must(template.New("page").Funcs(template.FuncMap{
		"clock":   func(t time.Time) string { return t.UTC().Format("15:04") },
		"comma":   humanize.Comma,
		"css":     func() template.CSS { return template.CSS(pageCSS) },
		"date":    func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"int64":   func(n int) int64 { return int64(n) },
		"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"percent": func(n, of int) string { return fmt.Sprintf("%.0f %%", 100*float64(n)/float64(max(of, 1))) },
		"plural":  plural,
	}).Parse(pageHTML))
)

// plural returns a number with its noun.
func plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return humanize.Comma(n) + " " + noun
}

// Label returns the text of the start of a bucket.
func (t Timeline) Label(start time.Time) string {
	if t.Bucket%day == 0 {
		return start.UTC().Format(time.DateOnly)
	}
	return start.UTC().Format("2006-01-02 15:04")
}

// Width returns the width of a bucket in words.
func (t Timeline) Width() string {
	switch t.Bucket {
	case 7 * day:
		return "week"
	case day:
		return "day"
	case time.Hour:
		return "hour"
	}
	return t.Bucket.String()
}

const day = 24 * time.Hour
