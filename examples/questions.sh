#!/usr/bin/env bash
# Answers ten questions of an analyst on the records of this folder, each with one command. $TTPSTORE is the program;
# without it, the script builds it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [[ -z ${TTPSTORE:-} ]]; then
	TTPSTORE=$work/ttpstore
	(cd "$here/.." && go build -buildvcs=false -o "$TTPSTORE" ./cmd/ttpstore)
fi
export TTPSTORE_DB=sqlite://$work/demo.db
"$TTPSTORE" import "$here/honeypot.jsonl" >"$work/import.log" 2>&1 || { cat "$work/import.log" >&2; exit 1; }
cd "$work" # for the layer

ask() {
	local question=$1 word shown=
	shift
	for word in "$@"; do
		[[ $word == *' '* ]] && word="\"$word\""
		shown+=" $word"
	done
	printf '# %s\n$ ttpstore%s\n' "$question" "$shown"
	COLUMNS=80 "$TTPSTORE" "$@" -o table
	printf '\n'
}
layer() {
	printf '# %s\n$ ttpstore navigator fleet --out layer.json\n' "$1"
	"$TTPSTORE" navigator fleet --out layer.json
	printf '(%s techniques in %s)\n\n' "$(grep -c '"techniqueID"' layer.json)" layer.json
}

ask 'Who were the busiest attackers, and what did each do?' who attacker --techniques -n 3
ask 'What is new this week?' new fleet --since 2026-03-09
ask 'How much brute force was there per day?' timeline fleet --technique 'Brute Force' --sub-techniques --since 2026-03-09
ask 'Who guessed passwords and also fetched tools?' who identity --all-of T1110.001,T1105
ask 'What happened in a session, step by step?' session cab693e2ddfb
ask 'What do two campaigns share?' compare campaign 'Copper Heron' campaign 'Glass Harbour' --tactic TA0007
layer 'Where is the layer for the ATT&CK Navigator?'
ask 'How do I take back a noisy rule?' rollback rule R1010 --tombstone --yes
ask 'How sure are we?' rollup fleet --confidence --tactic TA0006
ask 'How much of each tactic did we see?' coverage fleet --release 18.1
