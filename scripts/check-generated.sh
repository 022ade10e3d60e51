#!/usr/bin/env bash
# Fails when a committed generated file is not what its source gives.
set -euo pipefail
cd "$(dirname "$0")/.."
before=$(git ls-files -z -- '*_templ.go' | xargs -0 -r sha256sum)
go tool templ generate >/dev/null 2>&1
after=$(git ls-files -z -- '*_templ.go' | xargs -0 -r sha256sum)
if [ "$before" != "$after" ] || [ -n "$(git ls-files --others --exclude-standard -- '*_templ.go')" ]; then
	echo "Generated files are not fresh: run make generate and commit the result." >&2
	exit 1
fi
