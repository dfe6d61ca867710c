#!/bin/sh
# Instructions that one message costs: the samples replayed 20 and 120 times under valgrind, and the difference divided by
# the messages between them, so that the start of the process does not count. The same on a busy machine as on an idle one.
#
#     sh benches/instructions.sh [RULES [MAIL]]     defaults: rules, rules/samples
set -eu
cd "$(dirname "$0")/.."
rules=${1:-rules}
mail=${2:-rules/samples}
few=20
many=120

cargo build --quiet --profile quick --bin mailwright
program=${CARGO_TARGET_DIR:-target}/quick/mailwright

# Answers "messages instructions" of so many rounds.
count() {
    paths=$(for _ in $(seq "$1"); do printf '%s ' "$mail"; done)
    # shellcheck disable=SC2086
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" replay --quiet --rules "$rules" $paths 2>&1 |
        awk '/^[0-9]+ messages:/ { messages = $1 } /Collected :/ { print messages, $NF }'
}

before=$(count "$few")
after=$(count "$many")
echo "$before $after" | awk '{
    printf "%d instructions a message (%d messages: %d, %d messages: %d)\n", ($4 - $2) / ($3 - $1), $1, $2, $3, $4
}'
