#!/usr/bin/env bash
# Writes static/vendor and the axe-core of the browser tests again, from the npm packages of package.json.
# The result is committed: building and running Orbit needs neither Node nor npm.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -f package-lock.json ]; then npm ci --silent; else npm install --silent; fi

vendor=static/vendor
modules=node_modules
rm -rf "$vendor"
mkdir -p "$vendor" web/browsertest/testdata

node scripts/vendor/trim-tabler.mjs "$modules/@tabler/core/dist/css/tabler.css" static/css "$vendor/tabler.css"
node scripts/vendor/icon-sprite.mjs static/icons.txt "$modules/@tabler/icons/icons" "$vendor/icons.svg"
cp "$modules/htmx.org/dist/htmx.min.js" "$vendor/htmx.js"
cp "$modules/htmx-ext-sse/dist/sse.min.js" "$vendor/htmx-sse.js"
cp "$modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2" "$vendor/inter.woff2"
cp "$modules/@fontsource-variable/inter/LICENSE" "$vendor/LICENSE-inter.txt"
cp "$modules/@tabler/icons/LICENSE" "$vendor/LICENSE-tabler.txt"
cp "$modules/htmx-ext-sse/LICENSE" "$vendor/LICENSE-htmx.txt"
cp "$modules/axe-core/axe.min.js" web/browsertest/testdata/axe.min.js

# What every file was made of, so that a test can say that one is stale.
sha256sum package.json static/icons.txt scripts/vendor/*.mjs "$vendor"/* web/browsertest/testdata/axe.min.js >static/vendor.sha256
