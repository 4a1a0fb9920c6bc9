#!/usr/bin/env bash
# Imports the record file of this folder into a throw-away database, asks it some questions, and
# imports the file again. With another file as argument, does the same with that.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
records=${1:-$here/honeypot.jsonl}
identity=e1292c78-2e52-5857-ae79-bbc6fe89e0c2
campaign=27b9630e-70f3-513e-b7aa-1f4f8ca1f251

work=$(mktemp -d)
out=$(mktemp -d "${TMPDIR:-/tmp}/ttpstore-demo.XXXXXX") # for the reader to look at
trap 'rm -rf "$work"' EXIT
(cd "$here/.." && go build -o "$work/ttpstore" ./cmd/ttpstore)
export TTPSTORE_DB=sqlite://$work/demo.db

step() {
	printf '\n# %s\n$ ttpstore %s\n' "$1" "$2"
	# shellcheck disable=SC2086 # the words of the command
	"$work/ttpstore" $2 <"$records"
}
step 'Make the schema' 'migrate up'
step 'Import the records' 'import -'
step 'What the whole fleet saw' 'rollup fleet'
step 'When, in days' 'timeline fleet --bucket 1d --by tactic'
step 'Who guessed passwords' 'who attacker --technique T1110 --sub-techniques --limit 3'
if [[ $# == 0 ]]; then
	step 'What one identity did, and those merged into it' "rollup identity $identity"
	step 'The last of its tags' "tags identity $identity --limit 3"
	step 'What a campaign did: the union of its identities' "rollup campaign $campaign"
fi
step 'A layer for the ATT&CK Navigator' "navigator fleet -o $out/layer.json"
step 'The same as STIX sightings' "stix fleet -o $out/bundle.json"
step 'A page to look at' "report fleet --out $out/report.html"
step 'A technique, and how often it was seen' 'attack show T1110.001'
step 'What ATT&CK 18.1 changes for these tags since 8.2' 'attack diff 8.2 18.1'
step 'Import the same records again: nothing is new' 'import -'
step 'A rule was too eager: what would go without it' 'rollback rule R1001 --dry-run'
step 'Take it back, for good' 'rollback rule R1001 --tombstone --yes'
step 'A replay does not bring it back' 'import -'
step 'Is all as it should be?' 'verify'

printf '\nThe layer, the sightings and the report are in %s\n' "$out"
