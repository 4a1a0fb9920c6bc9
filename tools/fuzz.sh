#!/usr/bin/env bash
# Runs every fuzz target of the module for FUZZTIME, one after the other. Exits with 1 if any of them fails.
set -euo pipefail
cd "$(dirname "$0")/.."

targets() {
	go test -list '^Fuzz' "$@" | awk '/^Fuzz/ { names[n++] = $1 } /^ok/ { while (n) print $2, names[--n] }'
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
list=$(targets "${@:-./...}")
status=0
while read -r package target; do
	echo "$target in $package"
	# By default, Go minimizes each interesting input for up to a minute and tries no others meanwhile.
	if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-60s}" -fuzzminimizetime 2s "$package" </dev/null 2>&1 |
		tee "$log"; then
		grep -qx '    context deadline exceeded' "$log" || status=1 # https://go.dev/issue/75804: not a failing input
	fi
done <<<"$list"
exit $status
