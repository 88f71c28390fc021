#!/usr/bin/env bash
# The README's first command on a clean checkout of the last commit, with nothing but Python and a package index, and the
# client alone in an environment of its own. Takes some minutes, so it is no part of the tests:
#
#     scripts/fresh_install.sh          # install, start, one insert, stop
#     scripts/fresh_install.sh test     # and the README's second command, all tests
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
chmod 755 "$work"
server=
stop() {
    if [ -n "$server" ]; then
        # The child is the server: a terminal would tell both.
        pkill -INT -P "$server" || true
        wait "$server" 2>/dev/null || true
    fi
    server=
}
trap 'stop; rm -rf "$work"' EXIT
mkdir "$work/checkout"
git archive HEAD | tar -x -C "$work/checkout"
cd "$work/checkout"
unset PYTHONPATH VIRTUAL_ENV
# Only what the script itself sets.
for name in $(env | sed -n 's/^\(ATLAS_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done

python3 -m venv "$work/client"
SECONDS=0
"$work/client/bin/pip" install --quiet --disable-pip-version-check --constraint constraints.txt .
"$work/client/bin/atlas" version
"$work/client/bin/python" -c "from atlas import Client; print(Client('http://127.0.0.1:1', 'x'))"
echo "client and command line installed after ${SECONDS}s: $("$work/client/bin/pip" list --format=freeze | wc -l) packages"

SECONDS=0
port=$(python3 -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
python3 dev.py serve --port "$port" --data-dir "$work/data" > "$work/log" 2>&1 &
server=$!
until curl -sf -o "$work/health" "http://127.0.0.1:$port/health"; do
    kill -0 "$server" || { cat "$work/log"; exit 1; }
    sleep 0.5
done
key=$(grep -o 'atlas_live_sk_[a-z0-9]*' "$work/log" | head -1)
echo "server answers after ${SECONDS}s"
export ATLAS_URL="http://127.0.0.1:$port" ATLAS_API_KEY="$key"
"$work/client/bin/python" - <<'END'
from atlas import Client

with Client() as client:
    client.datasets.create("fresh")
    print(client.rows.bulk_insert("fresh", [{"timestamp": "2026-01-05", "n": 1}]))
END
unset ATLAS_URL ATLAS_API_KEY
stop

if [ "${1:-}" = test ]; then
    SECONDS=0
    python3 dev.py test
    echo "tests done after ${SECONDS}s"
fi
