package main

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// config holds the flags and the sizes of a run.
type config struct {
	chosen  []string // of jobNames
	sizes   []int    // of the stores that are read
	filled  []int    // of the stores for fresh inserts
	growth  []int    // of the growing store at its measurements
	rounds  int
	engines []string
	dir     string
	out     string // file of the report, or ""
	raw     string // file of the samples, or ""
	records string // honeypot records in the import format
	short   bool
	flags   string // of the command line, without paths

	callTags    int // tags in a measured call
	writers     int
	writerCalls int // calls of each writer
	writerTags  int // tags in each of them
	mostRecords int

	smallTags    []int // per call
	smallWriters []int
	smallTime    time.Duration // of each measurement
	smallFill    int           // tags stored before

	loadTime time.Duration
	loadFill int // tags stored before

	fillTime time.Duration // limit of filling a MySQL store
}

// shortDefaults replace the defaults of a full run.
var shortDefaults = map[string]string{
	"tags": "1000", "filled": "1000", "growth": "1000,2000", "rounds": "1", "writercalls": "2",
	"smalltime": "20ms", "loadtime": "1s", "o": "",
}

func parse(args []string) (config, error) {
	var c config
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	jobs := flags.String("jobs", strings.Join(jobNames, ","), "jobs to run; a selection writes no report without -o")
	engines := flags.String("engines", strings.Join(engineNames, ","), "engines to run them on")
	sizes := flags.String("tags", "10000,100000,1000000", "`sizes` of the stores for reads")
	filled := flags.String("filled", "1000000,10000000", "`sizes` of the stores for fresh inserts;"+
		" 10 million tags take about 9 GB, and 15 GB with GORM's indexes")
	growth := flags.String("growth", "10000,30000,100000,300000,1000000,3000000,10000000",
		"`sizes` of the growing store at its measurements")
	flags.IntVar(&c.rounds, "rounds", 5, "number of measurements of each call")
	flags.IntVar(&c.writerCalls, "writercalls", 10, "number of calls of 1,000 tags by each of 8 concurrent writers")
	flags.DurationVar(&c.smallTime, "smalltime", time.Second, "duration of each measurement of small calls")
	flags.DurationVar(&c.loadTime, "loadtime", time.Minute, "duration of concurrent reads and writes")
	flags.DurationVar(&c.fillTime, "filltime", time.Hour, "limit of filling a MySQL store; larger sizes are skipped")
	flags.StringVar(&c.dir, "dir", "", "`directory` of the databases")
	flags.StringVar(&c.out, "o", "RESULTS.md", "`file` of the Markdown report, with a picture in the same directory; empty for none")
	flags.StringVar(&c.raw, "raw", "", "`file` of the samples in the format of benchstat; samples.txt in -dir by default")
	flags.StringVar(&c.records, "records", "../../shared/data/cowrie-2018-tags.jsonl.gz", "`file` of honeypot records to insert")
	flags.BoolVar(&c.short, "short", false, "only check that everything runs; writes no report without -o")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) {
		given[f.Name] = true
		if !slices.Contains([]string{"dir", "o", "raw", "records"}, f.Name) {
			c.flags += fmt.Sprintf(" -%s=%s", f.Name, f.Value)
		}
	})
	if given["jobs"] && !given["o"] {
		c.out = ""
	}
	if c.raw == "" && c.dir != "" {
		c.raw = filepath.Join(c.dir, "samples.txt")
	}
	c.callTags, c.writers, c.writerTags, c.mostRecords = 10_000, 8, 1000, 1_000_000
	c.smallTags, c.smallWriters, c.smallFill, c.loadFill = []int{1, 10, 100}, []int{1, 8, 64}, 5000, 100_000
	if c.short {
		c.callTags, c.writerTags, c.mostRecords = 500, 50, 500
		c.smallTags, c.smallWriters, c.smallFill, c.loadFill = []int{1}, []int{1, 64}, 100, 1000
		for name, value := range shortDefaults {
			if given[name] {
				continue
			}
			if err := flags.Set(name, value); err != nil {
				return c, err
			}
		}
	}
	if c.rounds < 1 || c.writerCalls < 1 || c.smallTime <= 0 || c.loadTime <= 0 {
		return c, errors.New("-rounds, -writercalls, -smalltime, -loadtime: must be more than 0")
	}
	var errs [5]error
	c.chosen, errs[0] = words("jobs", *jobs, jobNames)
	c.engines, errs[1] = words("engines", *engines, engineNames)
	c.sizes, errs[2] = numbers("tags", *sizes)
	c.filled, errs[3] = numbers("filled", *filled)
	c.growth, errs[4] = numbers("growth", *growth)
	return c, errors.Join(errs[:]...)
}

// words parses a list of known words.
func words(name, list string, known []string) ([]string, error) {
	words := strings.Split(list, ",")
	for _, word := range words {
		if !slices.Contains(known, word) {
			return nil, fmt.Errorf("-%s: unknown value %q: want any of %s", name, word, strings.Join(known, ", "))
		}
	}
	return words, nil
}

// numbers parses a list of sizes and sorts it.
func numbers(name, list string) ([]int, error) {
	var sizes []int
	for word := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < smallestStore {
			return nil, fmt.Errorf("-%s: want numbers of at least %d, not %q", name, smallestStore, word)
		}
		sizes = append(sizes, n)
	}
	slices.Sort(sizes)
	return slices.Compact(sizes), nil
}

// smallestStore is the smallest size with tags in all scopes that are read.
const smallestStore = 1000
