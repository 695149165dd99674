#!/usr/bin/env bash
# Fuzzes every target for some seconds, as many at once as JOBS says (default: one a core), and says what came
# of it:
#
#     run.sh BIN WORK SECONDS SEED [TARGET...]
#
# BIN has grouplink_fuzz and grouplink_replay. From an empty WORK one SEED tries the same inputs each time, as many
# as there is time for; 0 is another one at each run. WORK keeps the corpora, which later runs go on from, and findings:
# WORK/findings/TARGET-*, each to be kept under regressions/TARGET/ once mended.
set -euo pipefail

bin=$1 work=$2 seconds=$3 seed=$4
shift 4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$work/corpus" "$work/logs" "$work/findings"
"$bin/grouplink_replay" --seeds "$work/seeds"
[ $# -gt 0 ] || mapfile -t targets < <("$bin/grouplink_replay" --list)

# Arrow's own pools are not seen by the limits on memory.
export ARROW_DEFAULT_MEMORY_POOL=system
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1

fuzz_one() {
    local target dictionary corpus
    read -r target dictionary <<<"$1"
    corpus=$work/corpus/$target
    mkdir -p "$corpus"
    # A file of some kilobytes that asks for 256 MiB, or takes ten seconds, is a finding. But Arrow asks its pool, which
    # has a cap, for what a page or a compressed body claims before it reads any of it: see README.md.
    local most=256
    case $target in arrow | parquet) most=1100 ;; esac
    if "$bin/grouplink_fuzz" --target="$target" -seed="$seed" -max_total_time="$seconds" -max_len=16384 -timeout=10 \
        -rss_limit_mb=2048 -malloc_limit_mb=$most -print_final_stats=1 -reload=0 -verbosity=1 \
        ${dictionary:+-dict="$here/dictionaries/$dictionary"} -artifact_prefix="$work/findings/$target-" \
        "$corpus" "$work/seeds/$target" $([ -d "$here/regressions/$target" ] && echo "$here/regressions/$target") \
        >"$work/logs/$target.log" 2>&1; then
        printf '%-12s %9s executions, %s inputs in the corpus\n' "$target" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/logs/$target.log")" \
            "$(find "$corpus" -type f | wc -l)"
    else
        printf '%-12s FOUND something; the end of %s:\n' "$target" "$work/logs/$target.log"
        grep -m1 -A25 -E '^(fuzz:|==[0-9]+==ERROR|.*runtime error)' "$work/logs/$target.log" || tail -n 25 "$work/logs/$target.log"
        return 1
    fi
}
export -f fuzz_one
export bin work seconds seed here

if [ $# -gt 0 ]; then
    mapfile -t targets < <("$bin/grouplink_replay" --list | grep -wF "$(printf '%s\n' "$@")")
fi
printf '%s\0' "${targets[@]}" | xargs -0 -P "${JOBS:-$(nproc)}" -I {} bash -c 'fuzz_one "$1"' _ {}
