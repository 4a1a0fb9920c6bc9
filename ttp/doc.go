// Package ttp stores MITRE ATT&CK technique tags and counts them by actor.
//
// A [Tag] records that one version of a rule recognized an ATT&CK (sub-)technique in a source event.
// [Store.InsertTags] writes tags idempotently. Rollups count them by technique for an identity, an attacker, a
// campaign, a session or the whole fleet.
//
// A [Store] runs on an embedded SQLite file or on a MySQL or MariaDB server ([Open]), on the caller's *sql.DB
// ([New]), or inside the caller's transaction ([Store.WithTx]). All of them return the same results, order and
// errors for the same calls: text is compared byte for byte, and times are in UTC with microsecond precision.
//
// Every read takes a [Filter], and most take a [Scope]: [Store.Rollup] for counts by technique, [Store.ListTags]
// and [Store.TagsSeq] for tags, [Store.Timeline] for counts over time, [Store.Who] for the most active scopes,
// [Store.NewTechniques] and [Store.Compare] for new and shared techniques, [Store.ListRules] for counts by rule.
//
// Rollups are ordered by descending count, then by technique and sub-technique. An unknown scope has no rows; that
// is not an error. An unfiltered rollup of the fleet reads counts that every write maintains, so that its cost does
// not depend on the number of tags.
//
// With a catalogue of ATT&CK releases ([WithCatalogue]), rows have the names and links of the tags' own release, and
// [AsOf] counts tags of all releases as one of them.
//
// Campaigns, identities and attackers may be upserted before or after the tags that reference them, in any order,
// or never. [Store.AssignAttackers], [Store.MergeIdentity] and similar methods change the scope graph at any time;
// every read that follows sees the change, and merges can be reverted. Assigning an attacker re-keys its stored
// tags; tags written afterwards keep the identity they are given.
//
// Tags are removed by a purge ([Store.PurgeAttacker], [Store.PurgeIdentity], [Store.PurgeSession]), by the rollback
// of a rule or batch ([Store.RollbackRule], [Store.RollbackBatch]), by retention ([Store.ExpireTags]) or by a sweep of
// orphans ([Store.SweepOrphans]). Each supports a dry run, works in bounded transactions, returns a [Receipt], can
// be repeated after an interruption, and may leave a [Tombstone] that rejects replays. [Store.Verify] finds
// inconsistent rows.
package ttp
