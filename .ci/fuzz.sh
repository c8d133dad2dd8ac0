#!/usr/bin/env bash
# Runs every fuzz target of the module in turn for the given time (default 60s). Memory is bounded: a decoder that allocates
# by what its input announces dies here and not on a user's machine.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-60s}
ulimit -v $((24 * 1024 * 1024))
failed=()
count=0
while IFS=: read -r file target; do
	package=./$(dirname "$file")
	count=$((count + 1))
	printf '%s %s\n' "$package" "$target"
	if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x "$package" | tail -n 2; then
		failed+=("$package $target")
	fi
done < <(git grep -oE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' | sed 's/:func /:/')
echo "$count fuzz targets, ${#failed[@]} failed"
if [ ${#failed[@]} -gt 0 ]; then
	printf 'failed: %s\n' "${failed[@]}"
	exit 1
fi
