package ttp

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listAttackReleases = all(
		(*sqlitegen.Queries).ListAttackReleases, (*mysqlgen.Queries).ListAttackReleases, toStoredRelease, toStoredRelease)
	upsertAttackRelease = exec((*sqlitegen.Queries).UpsertAttackRelease, (*mysqlgen.Queries).UpsertAttackRelease)
	deleteAttackRelease = execRows((*sqlitegen.Queries).DeleteAttackRelease, (*mysqlgen.Queries).DeleteAttackRelease)
)

// WithCatalogue adds ATT&CK's names and links to the rows that the store reads, and enables [AsOf]. Releases that the
// database holds ([Store.LoadAttackRelease]) are added to those of c and replace those of the same name; c may be
// empty. Without this option, rows have only IDs and the database's releases are not read.
func WithCatalogue(c *attack.Catalogue) Option {
	return func(s *Store) error {
		s.catalogues = nil
		if c != nil {
			s.catalogues = &catalogues{given: c}
		}
		return nil
	}
}

// LoadAttackRelease stores an ATT&CK release in the database, for the names of rows. It replaces a stored release of
// the same name. Other open stores keep the releases that they have read; so may the outer store of [Store.WithTx] if it
// reads before the transaction is committed.
func (s *Store) LoadAttackRelease(ctx context.Context, r *attack.Release) error {
	const op = "load ATT&CK release"
	var one attack.Catalogue
	one.Add(r)
	content, err := one.MarshalBinary()
	if err != nil {
		return s.refuse(ctx, op, err)
	}
	_, err = update(ctx, s, about(op, r.Name), func(q queries) (bool, error) {
		return true, upsertAttackRelease(ctx, q, args{ReleaseName: r.Name, Content: content})
	})
	s.catalogues.forget()
	return err
}

// RemoveAttackRelease removes a release from the database, or returns [ErrNotFound].
func (s *Store) RemoveAttackRelease(ctx context.Context, name string) error {
	_, err := update(ctx, s, about("remove ATT&CK release", name), func(q queries) (bool, error) {
		n, err := deleteAttackRelease(ctx, q, args{ReleaseName: name})
		if err == nil && n == 0 {
			err = sql.ErrNoRows
		}
		return true, err
	})
	s.catalogues.forget()
	return err
}

// LoadedAttackReleases returns the releases that the database holds.
func (s *Store) LoadedAttackReleases(ctx context.Context) (*attack.Catalogue, error) {
	return s.loadedReleases(ctx, "list ATT&CK releases")
}

// Catalogue returns all releases that the store takes names from: those of [WithCatalogue] and of the database.
func (s *Store) Catalogue(ctx context.Context) (*attack.Catalogue, error) {
	c, err := s.names(ctx, "read ATT&CK releases")
	if c == nil {
		return &attack.Catalogue{}, err
	}
	return c.Clone(), err
}

// catalogues holds the releases that a store takes names from. It is nil without WithCatalogue.
type catalogues struct {
	given   *attack.Catalogue
	mu      sync.Mutex
	all     *catalogue // with the database's; nil until read
	changes int        // number of calls of forget
}

// catalogue is a set of releases, with the translations between them. A nil catalogue returns empty Names.
type catalogue struct {
	*attack.Catalogue
	mu           sync.Mutex
	translations map[string]*translation // by release of AsOf
}

// names returns the store's catalogue, nil without [WithCatalogue]. Call it before a transaction: it may read.
func (s *Store) names(ctx context.Context, op string) (*catalogue, error) {
	if s.catalogues == nil {
		return nil, nil
	}
	stored, changes := s.catalogues.get()
	if stored != nil {
		return stored, nil
	}
	loaded, err := s.loadedReleases(ctx, op) // not under the lock: it may wait for a connection
	if err != nil {
		return nil, err
	}
	c := &catalogue{Catalogue: s.catalogues.given.Clone(), translations: map[string]*translation{}}
	c.Merge(loaded)
	if s.tx == nil { // the caller may roll back what it has loaded
		s.catalogues.set(c, changes)
	}
	return c, nil
}

func (c *catalogues) get() (all *catalogue, changes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all, c.changes
}

// set keeps the releases, unless they changed after get returned changes.
func (c *catalogues) set(all *catalogue, changes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes == changes {
		c.all = all
	}
}

func (c *catalogues) changeCount() int {
	if c == nil {
		return 0
	}
	_, changes := c.get()
	return changes
}

// forget makes the next use read the database again.
func (c *catalogues) forget() {
	if c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.all, c.changes = nil, c.changes+1
	}
}

func (s *Store) loadedReleases(ctx context.Context, op string) (*attack.Catalogue, error) {
	stored, err := query(ctx, s, op, func(q queries) ([]storedRelease, error) { return listAttackReleases(ctx, q, args{}) })
	if err != nil {
		return nil, err
	}
	var all attack.Catalogue
	for _, r := range stored {
		var one attack.Catalogue
		if err := one.UnmarshalBinary(r.content); err != nil {
			return nil, s.fail(ctx, op, fmt.Errorf("ATT&CK release %s: %w: load it again", r.name, err))
		}
		all.Merge(&one)
	}
	return &all, nil
}

type storedRelease struct {
	name    string
	content []byte
}

func toStoredRelease[R sqlitegen.TtpAttackRelease | mysqlgen.TtpAttackRelease](row R) storedRelease {
	r := sqlitegen.TtpAttackRelease(row)
	return storedRelease{r.Name, r.Content}
}
