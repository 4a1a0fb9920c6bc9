// Package ttp stores MITRE ATT&CK technique tags and answers who did what.
//
// A [Tag] says that a source event shows an ATT&CK (sub-)technique, according to one version of one
// rule. [Store.InsertTags] writes tags idempotently, and the rollups group them by technique for an
// identity, an attacker, a campaign, a session or the whole fleet.
//
// A [Store] runs on an embedded SQLite file or on a MySQL or MariaDB server ([Open]), on a database
// handle of the caller's ([New]), or inside a transaction of the caller's ([Store.WithTx]). All of
// them promise the same: the same rows for the same calls, text compared byte for byte, times in UTC
// with microseconds, the same total order, the same errors.
//
// All reads take a [Filter], most a [Scope]: the rollups by [Where], [Store.ListTags] and
// [Store.TagsSeq] for the tags themselves, [Store.Timeline] for counts over time, [Store.Who] for who
// shows a technique, [Store.NewTechniques] and [Store.Compare] for what is new or shared,
// [Store.ListRules] for what the rules did.
//
// The scope graph may change at any time: [Store.AssignAttackers], [Store.MergeIdentity] and their like take
// effect in every read at once, and merges can be revoked. Tags end by a purge ([Store.PurgeAttacker],
// [Store.PurgeIdentity], [Store.PurgeSession]), the rollback of a rule or batch ([Store.RollbackRule]),
// retention ([Store.ExpireTags]) or a sweep of orphans ([Store.SweepOrphans]): each can be run dry, goes in
// bounded transactions, returns a [Receipt], finishes when it is run again after an interruption, and may
// leave a [Tombstone] that keeps replays out. [Store.Verify] looks for what is not as it should be.
//
// What the fleet shows is counted by every write, so that [Store.ListDistinctTechniques] without a filter
// costs the same whatever the number of tags.
//
// Rollups come ordered by count, the highest first, then by technique and sub-technique, a technique
// before its sub-techniques. A scope that is unknown has no rows, which is no error. Campaigns,
// identities and attackers may be upserted before or after the tags that name them, and in any order; one
// that is named need not be stored. Only when an attacker goes from one identity to another does the order
// count: the tags that are there go with it, those that are written later say for themselves.
package ttp
