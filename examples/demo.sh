#!/usr/bin/env bash
# Imports the record file of this folder, or the one given as argument, into a temporary database, runs some
# reports, and imports the file again.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
records=${1:-$here/honeypot.jsonl}
identity=e1292c78-2e52-5857-ae79-bbc6fe89e0c2
campaign=27b9630e-70f3-513e-b7aa-1f4f8ca1f251

work=$(mktemp -d)
out=$(mktemp -d "${TMPDIR:-/tmp}/ttpstore-demo.XXXXXX") # for the reader to look at
trap 'rm -rf "$work"' EXIT
(cd "$here/.." && go build -buildvcs=false -o "$work/ttpstore" ./cmd/ttpstore)
export TTPSTORE_DB=sqlite://$work/demo.db

step() {
	printf '\n# %s\n$ ttpstore %s\n' "$1" "$2"
	# shellcheck disable=SC2086 # split the command into words
	"$work/ttpstore" $2 <"$records"
}
step 'Create the schema' 'migrate up'
step 'Import the records' 'import -'
step 'Roll up the whole fleet' 'rollup fleet'
step 'Draw a timeline by day' 'timeline fleet --bucket 1d --by tactic'
step 'List the attackers with the most password guessing' 'who attacker --technique T1110 --sub-techniques --limit 3'
if [[ $# == 0 ]]; then
	step 'Roll up an identity and those merged into it' "rollup identity $identity"
	step 'List its latest tags' "tags identity $identity --limit 3"
	step 'Roll up a campaign: the union of its identities' "rollup campaign $campaign"
fi
step 'Write a layer for the ATT&CK Navigator' "navigator fleet --out $out/layer.json"
step 'Write STIX sightings' "stix fleet --out $out/bundle.json"
step 'Write an HTML report' "report fleet --out $out/report.html"
step 'Show a technique and how often it was seen' 'attack show T1110.001'
step 'List the changes of ATT&CK from 8.2 to 18.1 for these tags' 'attack diff 8.2 18.1'
step 'Import the same records again: all are duplicates' 'import -'
step 'Count the tags of a rule that matches too much' 'rollback rule R1001 --dry-run'
step 'Remove them and block replays' 'rollback rule R1001 --tombstone --yes'
step 'Import again: the removed tags stay blocked' 'import -'
step 'Check the store for inconsistencies' 'verify'

printf '\nThe layer, the sightings and the report are in %s\n' "$out"
