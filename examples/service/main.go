// Command service shows how a platform uses package ttp: it receives events over HTTP, stores each with its tags in one
// transaction, answers rollups as JSON, removes old tags in the background, and counts its operations.
//
//	go run ./examples/service
//	curl -d '{"id":"e1","ip":"192.0.2.7","session":"s1","line":"wget http://203.0.113.9/x.sh"}' localhost:8080/events
//	curl 'localhost:8080/rollup?scope=fleet&since=7d'
//	curl localhost:8080/debug/vars
package main

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"expvar"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

const (
	keepTags  = 90 * ttp.Day
	stopAfter = 10 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	listener, err := net.Listen("tcp", cmp.Or(os.Getenv("LISTEN"), "127.0.0.1:8080"))
	if err == nil {
		err = run(ctx, listener, cmp.Or(os.Getenv("TTPSTORE_DB"), "sqlite://service.db"), logger)
	}
	if err != nil {
		logger.Error("service", "error", err)
		os.Exit(1)
	}
}

// The counters of /debug/vars. Package otelttp has spans and histograms instead.
var (
	operations = expvar.NewMap("ttp_operations")
	failures   = expvar.NewMap("ttp_failures")
)

func count(_ context.Context, o ttp.Observation) {
	operations.Add(o.Operation, 1)
	if o.Failure != "" {
		failures.Add(o.Operation+": "+o.Failure, 1)
	}
}

// run serves until ctx ends, and then waits for the running requests.
func run(ctx context.Context, listener net.Listener, url string, logger *slog.Logger) (err error) {
	store, err := ttp.Open(ctx, url, ttp.WithLogger(logger), ttp.WithSlowThreshold(500*time.Millisecond),
		ttp.WithObserver(count))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	s := &service{store, logger}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	background, stop := context.WithCancel(ctx)
	expired := make(chan struct{})
	go func() { defer close(expired); s.expire(background, time.Hour) }()
	defer func() { stop(); <-expired }() // before the store closes

	server := &http.Server{Handler: s.routes(), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopAfter)
	defer cancel()
	return server.Shutdown(ctx)
}

type service struct {
	store  *ttp.Store
	logger *slog.Logger
}

// migrate creates the tables of the store and of the service.
func (s *service) migrate(ctx context.Context) error {
	if err := s.store.Migrate(ctx); err != nil {
		return err
	}
	return s.store.Tx(ctx, func(ctx context.Context, tx *sql.Tx, _ *ttp.Store) error {
		_, err := tx.ExecContext(ctx, createEvent)
		return err
	})
}

// createEvent compares ids by byte on both engines: the default collation of a MySQL server takes "a" and "A" for the same.
const createEvent = "CREATE TABLE IF NOT EXISTS event (id VARCHAR(255) COLLATE binary NOT NULL PRIMARY KEY, body MEDIUMTEXT NOT NULL)"

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /events", s.answer(s.postEvent))
	mux.HandleFunc("GET /rollup", s.answer(s.getRollup))
	mux.HandleFunc("GET /ready", s.answer(func(r *http.Request) (any, error) { return "ready", s.store.Ready(r.Context()) }))
	mux.Handle("GET /debug/vars", expvar.Handler())
	return mux
}

// event is a report from a honeypot.
type event struct {
	ID      string     `json:"id"`
	IP      netip.Addr `json:"ip"`
	Session string     `json:"session"`
	Line    string     `json:"line"`
}

// attacker derives the attacker's UUID from the address, so that concurrent requests agree on it.
func (e event) attacker() ttp.Attacker {
	return ttp.Attacker{UUID: uuid.NewSHA1(uuid.NameSpaceURL, []byte("ip:"+e.IP.String())), IP: e.IP}
}

// tags returns the tags of the matching rules. A real service has more rules.
func (e event) tags() []ttp.Tag {
	var tags []ttp.Tag
	for _, rule := range []struct{ word, id, tactic, technique string }{
		{"wget ", "R1", "TA0011", "T1105"}, {"uname", "R2", "TA0007", "T1082"}, {"ls", "R3", "TA0007", "T1083"},
	} {
		if strings.HasPrefix(e.Line, rule.word) {
			evidence, _ := json.Marshal(map[string]string{"line": e.Line}) // cannot fail
			tags = append(tags, ttp.Tag{
				SourceKind: "command", SourceID: e.ID, AttackerUUID: e.attacker().UUID, SessionID: e.Session,
				Tactic: rule.tactic, TechniqueID: rule.technique, Confidence: 0.8, RuleID: rule.id, RuleVersion: 1,
				Evidence: evidence, AttackRelease: "enterprise-v18.1", ObservedAt: time.Now(),
			})
		}
	}
	return tags
}

// postEvent stores an event and its tags, both or neither. A repeated event changes nothing, even with another body.
func (s *service) postEvent(r *http.Request) (any, error) {
	body := http.MaxBytesReader(nil, r.Body, 64<<10)
	var e event
	if err := json.NewDecoder(body).Decode(&e); err != nil || e.ID == "" || !e.IP.IsValid() {
		return nil, errBadEvent
	}
	var result ttp.InsertResult
	err := s.store.Tx(r.Context(), func(ctx context.Context, tx *sql.Tx, store *ttp.Store) error {
		stored, err := s.storeEvent(ctx, tx, e)
		if err != nil {
			return err
		}
		if err := store.UpsertAttackers(ctx, []ttp.Attacker{stored.attacker()}); err != nil {
			return err
		}
		result, err = store.InsertTags(ctx, stored.tags())
		return err
	})
	if err == nil && result.Inserted > 0 { // in only one of several requests with the same event
		s.logger.Info("tagged", "techniques", result.Techniques)
	}
	return result, err
}

// insertEvent does nothing if the event is stored. A SELECT first would miss a concurrent delivery that is not committed
// yet, and the INSERT would then fail with a duplicate key.
var insertEvent = map[ttp.Dialect]string{
	ttp.SQLite: "INSERT INTO event (id, body) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
	ttp.MySQL:  "INSERT INTO event (id, body) VALUES (?, ?) ON DUPLICATE KEY UPDATE id = id",
}

// storeEvent returns the stored event: that of the first delivery.
func (s *service) storeEvent(ctx context.Context, tx *sql.Tx, e event) (stored event, err error) {
	body, err := json.Marshal(e)
	if err == nil {
		_, err = tx.ExecContext(ctx, insertEvent[s.store.Dialect()], e.ID, string(body))
	}
	if err == nil {
		err = tx.QueryRowContext(ctx, "SELECT body FROM event WHERE id = ?", e.ID).Scan(&body)
	}
	if err == nil {
		err = json.Unmarshal(body, &stored)
	}
	return stored, err
}

// getRollup takes a scope, such as "fleet" or "session s1", and the parameters of a filter.
func (s *service) getRollup(r *http.Request) (any, error) {
	values := r.URL.Query()
	scope, err := ttp.ParseScope(values.Get("scope"))
	if err != nil {
		return nil, err
	}
	values.Del("scope")
	filter, err := ttp.ParseFilter(values)
	if err != nil {
		return nil, err
	}
	return s.store.Rollup(r.Context(), scope, ttp.Where(filter))
}

var errBadEvent = errors.New(`want an event such as {"id":"e1","ip":"192.0.2.7","session":"s1","line":"uname -a"}`)

// answer writes the result or the error as JSON.
func (s *service) answer(handle func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		result, err := handle(r)
		status := http.StatusOK
		if err != nil {
			status, result = s.failure(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(result); err != nil {
			s.logger.Warn("answer", "error", err)
		}
	}
}

// failure returns the status and body of an error. Callers see the details of invalid input only.
func (s *service) failure(err error) (int, any) {
	if invalid, ok := errors.AsType[*ttp.InvalidError](err); ok {
		return http.StatusBadRequest, invalid
	}
	if errors.Is(err, errBadEvent) {
		return http.StatusBadRequest, map[string]string{"error": err.Error()}
	}
	s.logger.Error("request", "error", err)
	return http.StatusServiceUnavailable, map[string]string{"error": "try again"}
}

// expire removes old tags periodically. The next run continues an interrupted removal.
func (s *service) expire(ctx context.Context, every time.Duration) {
	for ticker := time.NewTicker(every); ; {
		receipt, err := s.store.ExpireTags(ctx, keepTags)
		if err != nil && ctx.Err() == nil {
			s.logger.Error("retention", "error", err)
		} else if receipt.Tags > 0 {
			s.logger.Info("retention", "removed", receipt.Tags)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			ticker.Stop()
			return
		}
	}
}
