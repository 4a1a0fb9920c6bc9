package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"strings"
)

// peeked is an input whose beginning was read ahead.
type peeked struct {
	*bufio.Reader
	io.Closer
}

const peekSize = 16 << 10

// peek returns the beginning of an input, uncompressed, and an input that still starts with it.
func peek(in io.ReadCloser) (io.ReadCloser, []byte) {
	buffered := bufio.NewReaderSize(in, peekSize)
	start, _ := buffered.Peek(peekSize) // the first read returns the same error
	if zip, err := gzip.NewReader(bytes.NewReader(start)); err == nil {
		start, _ = io.ReadAll(io.LimitReader(zip, peekSize)) // the end is cut off
	}
	return peeked{buffered, in}, start
}

// mistaken describes a file of another format than records, or returns "".
func mistaken(start []byte) string {
	const format = `; "ttpstore import" reads campaigns, identities, attackers and tags, ` +
		"one JSON object per line, as in examples/honeypot.jsonl"
	text := strings.TrimSpace(string(start))
	line, _, _ := strings.Cut(text, "\n")
	var members map[string]json.RawMessage
	_ = json.Unmarshal([]byte(line), &members)
	has := func(name, of string) bool {
		_, ok := members[name]
		return ok || strings.Contains(of, `"`+name+`"`)
	}
	array := strings.HasPrefix(text, "[")
	isJSON := array || strings.HasPrefix(text, "{")
	switch {
	case strings.HasPrefix(text, "SQLite format 3\x00"):
		return "this is a SQLite database: use it with --db"
	case has("eventid", "") && strings.Contains(line, "cowrie."):
		return "this is a Cowrie log: convert its events to tags first" + format
	case strings.HasPrefix(text, `{"tags": [`) || has("rule_id", "") && !has("type", ""):
		return "this is output of \"ttpstore tags\": use `ttpstore export FILE` instead" + format
	case isJSON && has("versions", text) && has("techniques", text) && has("domain", text):
		return "this is an ATT&CK Navigator layer" + format
	case strings.HasPrefix(text, "{") && has("objects", text) && strings.Contains(text, `"bundle"`):
		return "this is a STIX bundle" + format
	case array:
		return "this is a JSON array" + format
	case !isJSON && (strings.Count(line, ",") > 1 || strings.Count(line, "\t") > 1):
		return "this looks like CSV" + format
	}
	return ""
}
